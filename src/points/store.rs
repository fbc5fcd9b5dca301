//! Queries of the engine: rules and parameters in force, the member's month, the ledger.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Date, Int4, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::problem::Problem;
use crate::kernel::schema::{member_months, point_entries, point_rules};

use super::rules::{Audience, Counters, Rule, Tier};

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
        }
    }
}

/// The rules in force on a day, by code.
pub async fn rules(conn: &mut Conn, day: NaiveDate) -> Result<Vec<Rule>, Problem> {
    let rows: Vec<RuleRow> = point_rules::table
        .filter(point_rules::valid_from.le(day))
        .filter(point_rules::valid_to.is_null().or(point_rules::valid_to.gt(day)))
        .order(point_rules::code)
        .select(RuleRow::as_select())
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(Rule::from).collect())
}

/// Parameters in force for a unit.
#[derive(Debug, Clone, Copy)]
pub struct Parameters {
    /// Points a month before proration.
    pub threshold: i32,
    pub prorate: bool,
    /// Points a day that one can earn alone.
    pub self_service_cap: i32,
}

/// A parameter in force, and the unit that set it; no unit is the default of the whole system.
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

/// Each parameter of the unit with this path (itself first) on a day: the nearest unit that sets one wins.
pub async fn parameters_in_force(conn: &mut Conn, path: &[Uuid], day: NaiveDate) -> Result<Vec<ParameterRow>, Problem> {
    Ok(diesel::sql_query(
        "SELECT DISTINCT ON (name) name, value, unit_id, valid_from FROM point_parameters
         WHERE (unit_id IS NULL OR unit_id = ANY($1)) AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2)
         ORDER BY name, array_position($1, unit_id) NULLS LAST",
    )
    .bind::<Array<SqlUuid>, _>(path)
    .bind::<Date, _>(day)
    .load(conn)
    .await?)
}

/// The same as the engine needs them.
pub async fn parameters(conn: &mut Conn, path: &[Uuid], day: NaiveDate) -> Result<Parameters, Problem> {
    let rows = parameters_in_force(conn, path, day).await?;
    let value = |name: &str| rows.iter().find(|row| row.name == name).map(|row| row.value);
    let missing = || Problem::internal("a point parameter has no default");
    Ok(Parameters {
        threshold: value("threshold").ok_or_else(missing)?,
        prorate: value("prorated").ok_or_else(missing)? > 0,
        self_service_cap: value("self_service_day_cap").ok_or_else(missing)?,
    })
}

/// What the engine must know of a member on a day.
#[derive(Debug, Clone, QueryableByName)]
pub struct MemberFacts {
    #[diesel(sql_type = Bool)]
    pub without_device: bool,
    /// First day of the first membership in the system.
    #[diesel(sql_type = Date)]
    pub entered: NaiveDate,
    /// `exempt` or `excused` in the month.
    #[diesel(sql_type = Nullable<Text>)]
    pub exemption: Option<String>,
    /// The cell and its ancestors, the cell first.
    #[diesel(sql_type = Array<SqlUuid>)]
    pub path: Vec<Uuid>,
}

/// Facts of a member who belongs to a cell on the day; none otherwise. An excuse counts for every month it touches,
/// an exemption when it holds on the day, and then it comes before an excuse (`exempt` sorts last).
pub async fn member_facts(
    conn: &mut Conn,
    member_id: Uuid,
    day: NaiveDate,
    period: Period,
) -> Result<Option<MemberFacts>, Problem> {
    Ok(diesel::sql_query(
        "SELECT m.without_device,
            (SELECT min(f.valid_from) FROM memberships f WHERE f.member_id = m.id) AS entered,
            (SELECT max(x.kind) FROM exemptions x WHERE x.member_id = m.id AND (
                (x.kind = 'exempt' AND x.valid_from <= $2 AND (x.valid_to IS NULL OR x.valid_to > $2))
                OR (x.kind = 'excused' AND x.valid_from <= $4 AND (x.valid_to IS NULL OR x.valid_to > $3)))) AS exemption,
            ARRAY(SELECT t.ancestor_id FROM unit_tree t WHERE t.descendant_id = ms.unit_id
                AND t.valid_from <= $2 AND (t.valid_to IS NULL OR t.valid_to > $2) ORDER BY t.depth) AS path
         FROM members m JOIN memberships ms ON ms.member_id = m.id
            AND ms.valid_from <= $2 AND (ms.valid_to IS NULL OR ms.valid_to > $2)
         WHERE m.id = $1",
    )
    .bind::<SqlUuid, _>(member_id)
    .bind::<Date, _>(day)
    .bind::<Date, _>(period.first_day())
    .bind::<Date, _>(period.last_day())
    .get_result(conn)
    .await
    .optional()?)
}

/// A member's month: total and counters.
#[derive(Debug, Clone, Default)]
pub struct Month {
    pub points: i32,
    pub counters: Counters,
}

fn month((points, counters): (i32, serde_json::Value)) -> Result<Month, Problem> {
    Ok(Month { points, counters: serde_json::from_value(counters).map_err(Problem::internal)? })
}

/// Locks the member's month, making the row when there is none. Comes before any other lock of the member.
pub async fn lock_month(conn: &mut Conn, member_id: Uuid, period: Period) -> Result<Month, Problem> {
    diesel::insert_into(member_months::table)
        .values((member_months::member_id.eq(member_id), member_months::period.eq(period.first_day())))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    let row = member_months::table
        .find((member_id, period.first_day()))
        .select((member_months::points, member_months::counters))
        .for_update()
        .first(conn)
        .await?;
    month(row)
}

/// The member's month without a lock; nothing earned yet is a month of 0.
pub async fn read_month(conn: &mut Conn, member_id: Uuid, period: Period) -> Result<Month, Problem> {
    let row = member_months::table
        .find((member_id, period.first_day()))
        .select((member_months::points, member_months::counters))
        .first(conn)
        .await
        .optional()?;
    row.map_or_else(|| Ok(Month::default()), month)
}

/// Writes back the total and the counters of a locked month.
pub async fn write_month(conn: &mut Conn, member_id: Uuid, period: Period, month: &Month) -> Result<(), Problem> {
    let counters = serde_json::to_value(&month.counters).map_err(Problem::internal)?;
    diesel::update(member_months::table.find((member_id, period.first_day())))
        .set((member_months::points.eq(month.points), member_months::counters.eq(counters)))
        .execute(conn)
        .await?;
    Ok(())
}

/// The rules that have credited an object to a member, in any month.
pub async fn credited(conn: &mut Conn, member_id: Uuid, object_id: &str) -> Result<BTreeSet<String>, Problem> {
    let codes: Vec<String> = point_entries::table
        .filter(point_entries::member_id.eq(member_id))
        .filter(point_entries::object_id.eq(object_id))
        .select(point_entries::rule_code)
        .load(conn)
        .await?;
    Ok(codes.into_iter().collect())
}

/// A row to be written to the ledger.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = point_entries)]
pub struct NewEntry {
    pub member_id: Uuid,
    pub id: Uuid,
    pub kind: &'static str,
    pub rule_code: String,
    pub rule_version: i32,
    pub object_kind: String,
    pub object_id: String,
    pub points: i32,
    pub period: NaiveDate,
    pub day: NaiveDate,
    pub occurred_at: DateTime<Utc>,
    pub unit_id: Uuid,
    pub attested_by: Option<Uuid>,
}

/// Appends entries. Returns the ids of those that were new: the ledger itself refuses an object credited before.
pub async fn append(conn: &mut Conn, entries: &[NewEntry]) -> Result<BTreeSet<Uuid>, Problem> {
    let written: Vec<Uuid> = diesel::insert_into(point_entries::table)
        .values(entries)
        .on_conflict_do_nothing()
        .returning(point_entries::id)
        .get_results(conn)
        .await?;
    Ok(written.into_iter().collect())
}

/// An object on offer that the member has no credit for.
#[derive(Debug, Clone, QueryableByName)]
pub struct OpenOffer {
    #[diesel(sql_type = Text)]
    pub rule_code: String,
    #[diesel(sql_type = Text)]
    pub object_kind: String,
    #[diesel(sql_type = Text)]
    pub object_id: String,
    #[diesel(sql_type = Text)]
    pub title: String,
}

/// What is on offer to a member of the unit with this path and not yet credited, the newest first; at most 500.
pub async fn open_offers(
    conn: &mut Conn,
    member_id: Uuid,
    path: &[Uuid],
    day: NaiveDate,
) -> Result<Vec<OpenOffer>, Problem> {
    Ok(diesel::sql_query(
        "SELECT o.rule_code, min(o.object_kind) AS object_kind, o.object_id, min(o.title) AS title FROM point_offers o
         WHERE o.unit_id = ANY($2) AND o.valid_from <= $3 AND (o.valid_to IS NULL OR o.valid_to > $3)
           AND NOT EXISTS (SELECT 1 FROM point_entries e
               WHERE e.member_id = $1 AND e.rule_code = o.rule_code AND e.object_id = o.object_id)
         GROUP BY o.rule_code, o.object_id ORDER BY max(o.valid_from) DESC, o.object_id LIMIT 500",
    )
    .bind::<SqlUuid, _>(member_id)
    .bind::<Array<SqlUuid>, _>(path)
    .bind::<Date, _>(day)
    .load(conn)
    .await?)
}

/// Number of open offers by rule.
pub fn count_by_rule(offers: &[OpenOffer]) -> BTreeMap<String, i64> {
    let mut counts = BTreeMap::new();
    for offer in offers {
        *counts.entry(offer.rule_code.clone()).or_default() += 1;
    }
    counts
}
