//! The months that are projected. Each new day, membership and exemptions are read again in full.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{point_changes, projected_months};
use crate::kernel::http::problem::Problem;

use super::changes::TrackedChange;

/// Adds the present month to the projected ones, and schedules a full recount of each month whose reference day has
/// moved on since the last one.
pub async fn look_again(conn: &mut Conn, today: NaiveDate) -> Result<(), Problem> {
    let known: Vec<(NaiveDate, NaiveDate)> =
        projected_months::table.select((projected_months::period, projected_months::day)).load(conn).await?;
    let present = Period::containing(today);
    if !known.iter().any(|(first, _)| *first == present.first_day()) {
        look_through(conn, present, today).await?;
    }
    for (first, day) in known {
        let period = Period::containing(first);
        if day < period.reference_day(today) {
            look_through(conn, period, today).await?;
        }
    }
    Ok(())
}

/// Schedules a full recount of the month.
pub async fn look_through(conn: &mut Conn, period: Period, today: NaiveDate) -> Result<(), Problem> {
    let day = period.reference_day(today);
    diesel::insert_into(projected_months::table)
        .values((projected_months::period.eq(period.first_day()), projected_months::day.eq(day)))
        .on_conflict(projected_months::period)
        .do_update()
        .set(projected_months::day.eq(day))
        .execute(conn)
        .await?;
    diesel::insert_into(point_changes::table)
        .values((
            point_changes::kind.eq("below"),
            point_changes::ids.eq(Vec::<uuid::Uuid>::new()),
            point_changes::since.eq(period.first_day()),
            point_changes::until.eq(period.first_day()),
            point_changes::bulk.eq(true),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// The projected months a change concerns, including one that a clock set back has yet to reach again. A month with its
/// first points is added, and recounted in full.
pub async fn concerned(conn: &mut Conn, change: &TrackedChange, today: NaiveDate) -> Result<Vec<Period>, Problem> {
    let since = Period::containing(change.since);
    let mut between = projected_months::table
        .filter(projected_months::period.ge(since.first_day()))
        .order(projected_months::period)
        .select(projected_months::period)
        .into_boxed();
    if let Some(until) = change.until {
        between = between.filter(projected_months::period.le(Period::containing(until).first_day()));
    }
    let known: Vec<NaiveDate> = between.load(conn).await?;
    if known.is_empty() && change.until.is_some() && since <= Period::containing(today) {
        look_through(conn, since, today).await?;
        return Ok(Vec::new());
    }
    Ok(known.into_iter().map(Period::containing).collect())
}
