//! Queries for rules and parameters in force.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, Date, Int4, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::point_rules;
use crate::kernel::db::statement::Prepared;
use crate::kernel::http::problem::Problem;

use super::rules::{Audience, Rule, Tier};

#[derive(Queryable, Selectable)]
#[diesel(table_name = point_rules)]
struct RuleRow {
    code: String,
    version: i32,
    event: String,
    points: i32,
    tiers: Option<serde_json::Value>,
    cap_day: Option<i32>,
    cap_month: Option<i32>,
    self_service: bool,
    audience: String,
    attested_by: String,
    title_vi: String,
    title_en: String,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
}

impl From<RuleRow> for Rule {
    fn from(row: RuleRow) -> Self {
        let tiers: Option<Vec<Tier>> = row.tiers.and_then(|tiers| serde_json::from_value(tiers).ok());
        Self {
            code: row.code,
            version: row.version,
            event: row.event,
            points: row.points,
            tiers: tiers.unwrap_or_default(),
            cap_day: row.cap_day,
            cap_month: row.cap_month,
            self_service: row.self_service,
            audience: match row.audience.as_str() {
                "with_device" => Audience::WithDevice,
                "without_device" => Audience::WithoutDevice,
                _ => Audience::Everyone,
            },
            attested_by: row.attested_by,
            title_vi: row.title_vi,
            title_en: row.title_en,
            valid_from: row.valid_from,
            valid_to: row.valid_to,
        }
    }
}

/// The rules in force on a day, by code.
pub async fn rules(conn: &Conn, day: NaiveDate) -> Result<Vec<Rule>, Problem> {
    rules_within(conn, (day, day)).await
}

/// The same for those in force on any of the days from the first to the last.
pub async fn rules_within(mut conn: &Conn, (first, last): (NaiveDate, NaiveDate)) -> Result<Vec<Rule>, Problem> {
    let rows: Vec<RuleRow> = point_rules::table
        .filter(point_rules::valid_from.le(last))
        .filter(point_rules::valid_to.is_null().or(point_rules::valid_to.gt(first)))
        .order((point_rules::code, point_rules::valid_from))
        .select(RuleRow::as_select())
        .load(&mut conn)
        .await?;
    Ok(rows.into_iter().map(Rule::from).collect())
}

/// Parameters in force for a unit.
#[derive(Debug, Clone, Copy)]
pub struct Parameters {
    /// Points a month before proration.
    pub threshold: i32,
    pub prorate: bool,
    /// The least threshold that the units above leave.
    pub threshold_floor: i32,
    /// Points a day that one can earn alone.
    pub self_service_cap: i32,
    /// Days of a month that an excuse must cover to count for it.
    pub excuse_days: i32,
}

impl Parameters {
    /// Those of which `value` tells what binds; none when a default is missing.
    pub fn of(value: impl Fn(&str) -> Option<i32>) -> Option<Self> {
        let threshold_floor = value(THRESHOLD_FLOOR)?;
        Some(Self {
            threshold: value(THRESHOLD)?.max(threshold_floor),
            prorate: value(PRORATED)? > 0,
            threshold_floor,
            self_service_cap: value(SELF_SERVICE_DAY_CAP)?,
            excuse_days: value(EXCUSE_DAYS)?,
        })
    }
}

/// Points a month.
pub const THRESHOLD: &str = "threshold";

/// Whether those who enter during a month have the threshold by days.
pub const PRORATED: &str = "prorated";

/// Name of the parameter of which no unit leaves less than those above it.
pub const THRESHOLD_FLOOR: &str = "threshold_floor";

/// Days of a month that an excuse must cover.
pub const EXCUSE_DAYS: &str = "excuse_days";
pub const DOCUMENT_REVIEW: &str = "document_review";
pub const QUESTION_REVIEW: &str = "question_review";

/// Name of the parameter that a unit can only lower: no unit may exceed those above it.
pub const SELF_SERVICE_DAY_CAP: &str = "self_service_day_cap";

/// Which value of a parameter binds, of those set by units at these distances above: the nearest; of what one can earn alone
/// a day the least and of floors the highest, so that a superior who narrows later also narrows those who had narrowed less.
pub fn binding(name: &str, set: impl Iterator<Item = (usize, i32)>) -> Option<i32> {
    match name {
        SELF_SERVICE_DAY_CAP => set.map(|(_, value)| value).min(),
        THRESHOLD_FLOOR => set.map(|(_, value)| value).max(),
        _ => set.min().map(|(_, value)| value),
    }
}

/// A parameter in force, and the unit that set it; without a unit it is the default of the whole system.
#[derive(Debug, QueryableByName)]
pub struct ParameterRow {
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Int4)]
    pub value: i32,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub unit_id: Option<Uuid>,
    #[diesel(sql_type = Date)]
    pub valid_from: NaiveDate,
}

/// Each parameter of the unit with this path (itself first) on a day: the value that binds, as [`binding`] says. A threshold below
/// the floor is the floor.
pub async fn parameters_in_force(conn: &mut Conn, path: &[Uuid], day: NaiveDate) -> Result<Vec<ParameterRow>, Problem> {
    let query = diesel::sql_query(
        "SELECT DISTINCT ON (name) name, value, unit_id, valid_from FROM point_parameters
         WHERE (unit_id IS NULL OR unit_id = ANY($1)) AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2)
         ORDER BY name, CASE name WHEN 'self_service_day_cap' THEN value WHEN 'threshold_floor' THEN -value END,
            array_position($1, unit_id) NULLS LAST",
    )
    .bind::<Array<SqlUuid>, _>(path)
    .bind::<Date, _>(day);
    let mut rows: Vec<ParameterRow> = Prepared(query).load(conn).await?;
    let floor = rows.iter().find(|row| row.name == THRESHOLD_FLOOR);
    let floor = floor.map(|row| (row.value, row.unit_id, row.valid_from));
    if let (Some((value, unit_id, valid_from)), Some(threshold)) =
        (floor, rows.iter_mut().find(|row| row.name == THRESHOLD))
        && value > threshold.value
    {
        *threshold = ParameterRow { name: THRESHOLD.to_owned(), value, unit_id, valid_from };
    }
    Ok(rows)
}

/// Whether a parameter that is 0 or 1 is set for the unit with this path.
pub async fn is_set(conn: &mut Conn, name: &str, path: &[Uuid], day: NaiveDate) -> Result<bool, Problem> {
    let rows = parameters_in_force(conn, path, day).await?;
    Ok(rows.iter().any(|row| row.name == name && row.value > 0))
}

/// The same as the engine needs them.
pub async fn parameters(conn: &mut Conn, path: &[Uuid], day: NaiveDate) -> Result<Parameters, Problem> {
    let rows = parameters_in_force(conn, path, day).await?;
    let value = |name: &str| rows.iter().find(|row| row.name == name).map(|row| row.value);
    Parameters::of(value).ok_or_else(|| Problem::internal("a point parameter has no default"))
}
