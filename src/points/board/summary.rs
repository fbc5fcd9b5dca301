//! Summary of a unit, and the status of each of its members.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;
use crate::points::engine::credits::{self, CreditQuery, Memory, Taken};
use crate::points::engine::in_force::{self, InForce};
use crate::points::engine::in_force_version::InForceVersion;
use crate::points::engine::rules::{self, Counters};
use crate::points::model::Status;
use crate::points::projection::UnitMonth;

use super::standings::{BoardCounts, BoardStanding, BoardView};

/// How many members a unit has and how many of those who count reached the threshold.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Summary {
    /// All members of the unit.
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
    /// `met` of `counted`, between 0 and 1; null when no member counts.
    #[schema(minimum = 0, maximum = 1, example = 0.74)]
    pub rate: Option<f64>,
}

impl From<BoardCounts> for Summary {
    fn from(counts: BoardCounts) -> Self {
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
        BoardCounts { members, exempt, excused, met }.into()
    }
}

/// The status of each row; attainable points are looked up only where they can matter.
pub async fn statuses(
    conn: &Conn,
    rows: &[BoardStanding],
    view: BoardView,
    today: NaiveDate,
) -> Result<BTreeMap<Uuid, Status>, Problem> {
    let ended = view.period.days_left(today) == 0;
    let is_short = |row: &&BoardStanding| !ended && row.exemption.is_none() && row.points < row.threshold;
    let short: Vec<&BoardStanding> = rows.iter().filter(is_short).collect();
    let places = short.iter().map(|row| (row.unit_id, view.day)).collect();
    let in_force = in_force::find(conn, &places, &InForceVersion::read(conn).await?).await?;
    let asked = |row: &&BoardStanding| {
        let here = in_force.get(&(row.unit_id, view.day))?.clone();
        Some(CreditQuery { member_id: row.member_id, here, version: row.month_version })
    };
    let asked: Vec<CreditQuery> = short.iter().filter_map(asked).collect();
    let taken = credits::of_offers(conn, &asked, Memory::Kept).await?;
    let open: HashMap<Uuid, (&InForce, &Taken)> =
        asked.iter().zip(&taken).map(|(asked, taken)| (asked.member_id, (&*asked.here, taken))).collect();
    let more = |row: &BoardStanding| -> Result<i32, Problem> {
        let Some((here, taken)) = open.get(&row.member_id) else { return Ok(0) };
        let counters: Counters = match &row.counters {
            Some(counters) => serde_json::from_str(counters).map_err(Problem::internal)?,
            None => Counters::default(),
        };
        let (cap, left) = (here.parameters.self_service_cap, taken.left(&here.offers));
        Ok(rules::attainable(&here.rules, &counters, &left, today, view.period, row.without_device, cap))
    };
    let status = |row: &BoardStanding| -> Result<Status, Problem> {
        Ok(match row.exemption.as_deref() {
            Some("exempt") => Status::Exempt,
            Some(_) => Status::Excused,
            None => rules::status(row.points, row.threshold, more(row)?, ended),
        })
    };
    rows.iter().map(|row| Ok((row.member_id, status(row)?))).collect()
}
