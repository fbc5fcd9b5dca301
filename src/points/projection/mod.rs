//! Roll-ups of units, kept by one projector at a time: claims changes and recomputes figures.

mod changes;
mod check;
mod months;
mod read;
mod rollup;

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::db::lease::Lease;
use crate::kernel::db::schema::projections;
use crate::kernel::duty_cycle::DutyCycle;
use crate::kernel::http::problem::Problem;

use changes::{ChangeKind, TrackedChange};

pub use check::{Compared, differences, repair};
pub use read::{UnitMonth, as_of, children, position, unit, waiting};
pub use rollup::THRESHOLDS;

/// The lease of the instance that keeps the projections.
pub const LEASE: &str = "projections";
/// The row of `projections` that says how far the roll-ups are.
pub const ROLL_UPS: &str = "roll_ups";

/// Changes of a month that a step found.
#[derive(Debug, Clone)]
pub struct Touched {
    pub period: Period,
    /// Their points changed.
    pub members: BTreeSet<Uuid>,
    /// Where they belong, or whether they count, changed.
    pub moved: BTreeSet<Uuid>,
    /// Too many changes to list: consumers of members of this month have to start over.
    pub throughout: bool,
    units: BTreeSet<Uuid>,
}

/// Result of a step.
#[derive(Debug, Default)]
pub struct Step {
    pub touched: Vec<Touched>,
    /// Whether everything that was committed before is projected now.
    pub drained: bool,
}

/// Claims some of the changes and recomputes the figures they touch, in the caller's transaction, which must hold the
/// lease.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn step(conn: &mut Conn, lease: &Lease, now: DateTime<Utc>, pace: &mut DutyCycle) -> Result<Step, Problem> {
    let today = day_of(now);
    months::look_again(conn, today).await?;
    let (claimed, drained) = changes::claim(conn).await?;
    let mut touched: Vec<Touched> = Vec::new();
    for change in claimed {
        take_in(conn, &mut touched, change, today).await?;
    }
    for month in &touched {
        let day = month.period.reference_day(today);
        rollup::refresh(conn, month, day, lease.fence, now, pace).await?;
    }
    if !touched.is_empty() {
        count(conn).await?;
    }
    if drained {
        mark(conn, now).await?;
    }
    Ok(Step { touched, drained })
}

async fn take_in(
    conn: &mut Conn,
    touched: &mut Vec<Touched>,
    change: TrackedChange,
    today: NaiveDate,
) -> Result<(), Problem> {
    for period in months::concerned(conn, &change, today).await? {
        let month = match touched.iter_mut().position(|month| month.period == period) {
            Some(at) => &mut touched[at],
            None => {
                touched.push(Touched::new(period));
                touched.last_mut().ok_or_else(|| Problem::internal("no month"))?
            }
        };
        let ids = change.ids.iter().copied();
        match change.kind() {
            ChangeKind::Members => month.members.extend(ids),
            ChangeKind::Moved => month.moved.extend(ids),
            ChangeKind::Units => month.units.extend(ids),
            ChangeKind::Tree => {
                month.units.extend(ids);
                month.throughout = true;
            }
            ChangeKind::Below => {
                changes::expand(conn, &change.ids, period, period.reference_day(today)).await?;
                month.throughout = true;
            }
        }
    }
    Ok(())
}

impl Touched {
    fn new(period: Period) -> Self {
        Self { period, members: BTreeSet::new(), moved: BTreeSet::new(), throughout: false, units: BTreeSet::new() }
    }
}

/// Counts a change of the roll-ups. Before the first [`mark`] there is no row, and no reader.
async fn count(conn: &mut Conn) -> Result<(), Problem> {
    let row = diesel::update(projections::table.find(ROLL_UPS));
    row.set(projections::step.eq(projections::step + 1)).execute(conn).await?;
    Ok(())
}

async fn mark(conn: &mut Conn, now: DateTime<Utc>) -> Result<(), Problem> {
    diesel::insert_into(projections::table)
        .values((projections::name.eq(ROLL_UPS), projections::as_of.eq(now)))
        .on_conflict(projections::name)
        .do_update()
        .set(projections::as_of.eq(now))
        .execute(conn)
        .await?;
    Ok(())
}
