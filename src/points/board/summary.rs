//! What is said of a unit as a whole, and where each of its members stands.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::problem::Problem;
use crate::points::model::Status;
use crate::points::projection::UnitMonth;
use crate::points::rulebook::rules_for_units;
use crate::points::rules::{self, Counters};
use crate::points::store;

use super::standings::{self, Counts, Standing, View};

/// How many members a unit has and how many of those who count reached the threshold.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Summary {
    /// Everybody who belongs to the unit.
    #[schema(minimum = 0, maximum = 10_000_000, example = 135)]
    pub members: i64,
    /// The denominator: members without the exempt and the excused.
    #[schema(minimum = 0, maximum = 10_000_000, example = 81)]
    pub counted: i64,
    /// Members who are exempt.
    #[schema(minimum = 0, maximum = 10_000_000, example = 54)]
    pub exempt: i64,
    /// Members who are excused for the month.
    #[schema(minimum = 0, maximum = 10_000_000, example = 0)]
    pub excused: i64,
    /// Counted members who reached their threshold.
    #[schema(minimum = 0, maximum = 10_000_000, example = 60)]
    pub met: i64,
    /// `met` of `counted`, between 0 and 1; null when nobody counts.
    #[schema(minimum = 0, maximum = 1, example = 0.74)]
    pub rate: Option<f64>,
}

impl From<Counts> for Summary {
    fn from(counts: Counts) -> Self {
        let counted = counts.members - counts.exempt - counts.excused;
        // Counts of people are far below the 2^53 that a float holds exactly.
        #[expect(clippy::cast_precision_loss)]
        let rate = (counted > 0).then(|| counts.met as f64 / counted as f64);
        Self { members: counts.members, counted, exempt: counts.exempt, excused: counts.excused, met: counts.met, rate }
    }
}

impl From<&UnitMonth> for Summary {
    fn from(row: &UnitMonth) -> Self {
        let [members, exempt, excused, met] = [row.members, row.exempt, row.excused, row.met].map(i64::from);
        Counts { members, exempt, excused, met }.into()
    }
}

/// The status of each row; what is attainable is looked up only for those it can matter to.
pub async fn statuses(
    conn: &mut Conn,
    rows: &[Standing],
    view: View,
    today: NaiveDate,
    path: &[Uuid],
) -> Result<BTreeMap<Uuid, Status>, Problem> {
    let ended = view.period.days_left(today) == 0;
    let short: Vec<Uuid> = rows
        .iter()
        .filter(|row| !ended && row.exemption.is_none() && row.points < row.threshold)
        .map(|row| row.member_id)
        .collect();
    let open = if short.is_empty() { BTreeMap::new() } else { standings::open_offers(conn, &short, today).await? };
    let mut cells: Vec<Uuid> = rows.iter().map(|row| row.unit_id).collect();
    cells.sort_unstable();
    cells.dedup();
    let rules = rules_for_units(conn, &cells, view.day).await?;
    let cap = store::parameters(conn, path, view.day).await?.self_service_cap;
    let nothing = BTreeMap::new();
    let status = |row: &Standing| match row.exemption.as_deref() {
        Some("exempt") => Status::Exempt,
        Some(_) => Status::Excused,
        None => {
            let counters: Counters = serde_json::from_value(row.counters.clone()).unwrap_or_default();
            let open = open.get(&row.member_id).unwrap_or(&nothing);
            let rules = rules.get(&row.unit_id).map_or(&[][..], |rules| rules.as_slice());
            let more = rules::attainable(rules, &counters, open, today, view.period, row.without_device, cap);
            rules::status(row.points, row.threshold, more, ended)
        }
    };
    Ok(rows.iter().map(|row| (row.member_id, status(row))).collect())
}
