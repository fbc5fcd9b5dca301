//! Members' months in sets: locked, read together with member facts, written with the ledger.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Bool, Date, Int4, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::db::statement::Prepared;
use crate::kernel::http::problem::Problem;

use super::in_force_version::InForceVersion;
use super::member_facts::{self, MemberDay, MemberFacts};
use super::rules::Counters;

/// A member's month: the member and its first day.
pub type MonthKey = (Uuid, NaiveDate);

/// Distinguishes versions of a month's row; 0 while there is no row. Repeats only after about four billion
/// transactions.
pub type MonthVersion = i64;

/// A member's month: total and counters.
#[derive(Debug, Clone, Default)]
pub struct Month {
    pub points: i32,
    pub counters: Counters,
    /// What is written to a closed month is a late correction.
    pub closed: bool,
    pub version: MonthVersion,
}

/// A member's month together with the facts; no facts for members without a cell on the day.
#[derive(Debug, Clone, Default)]
pub struct MemberState {
    pub facts: Option<MemberFacts>,
    pub month: Month,
    /// Whether the month has a row; see [`take`].
    pub found: bool,
}

const MAKE: &str = "INSERT INTO member_months (member_id, period)
    SELECT * FROM unnest($1::uuid[], $2::date[]) ON CONFLICT DO NOTHING";
const LOCK: &str = "SELECT m.member_id, m.period FROM unnest($1::uuid[], $2::date[]) AS k (member_id, period)
    JOIN member_months m ON m.member_id = k.member_id AND m.period = k.period
    ORDER BY m.member_id, m.period FOR UPDATE OF m";

/// A statement over months: their members and first days.
macro_rules! keyed {
    ($text:ident, $keys:ident) => {{
        let (members, periods): (Vec<Uuid>, Vec<NaiveDate>) = $keys.iter().copied().unzip();
        Prepared(sql_query($text).bind::<Array<SqlUuid>, _>(members).bind::<Array<Date>, _>(periods))
    }};
}

/// Inserts the months that have no row yet.
pub async fn make(mut conn: &Conn, keys: &BTreeSet<MonthKey>) -> Result<(), Problem> {
    keyed!(MAKE, keys).execute(&mut conn).await?;
    Ok(())
}

/// The same, but gives up when another transaction inserts one of them for longer than a moment.
///
/// # Errors
/// A conflict in that case; then none is inserted.
pub async fn make_at_once(mut conn: &Conn, keys: &BTreeSet<MonthKey>) -> Result<(), Problem> {
    sql_query("SET LOCAL lock_timeout = '20ms'").execute(&mut conn).await?;
    make(conn, keys).await
}

/// Locks months in the order of members; inserts missing rows and waits for other transactions. Comes before any other
/// lock of the members.
pub async fn lock(mut conn: &Conn, keys: &BTreeSet<MonthKey>) -> Result<(), Problem> {
    // Inserts missing rows before locking any: an insert can wait too, and mixing both deadlocks.
    if keys.len() > 1 {
        make(conn, keys).await?;
    }
    if keyed!(LOCK, keys).execute(&mut conn).await? < keys.len() {
        make(conn, keys).await?;
        keyed!(LOCK, keys).execute(&mut conn).await?;
    }
    Ok(())
}

#[derive(QueryableByName)]
struct MonthRow {
    #[diesel(sql_type = Int4)]
    place: i32,
    #[diesel(sql_type = BigInt)]
    month_version: i64,
    #[diesel(sql_type = Int4)]
    points: i32,
    #[diesel(sql_type = Text)]
    counters: String,
    #[diesel(sql_type = Bool)]
    closed: bool,
}

/// The months of members that have a row.
macro_rules! months {
    ($lock:literal) => {
        concat!(
            "SELECT k.place, h.xmin::text::bigint AS month_version, h.points, h.counters::text AS counters,
                h.closed_at IS NOT NULL AS closed
            FROM unnest($1::int4[], $2::uuid[], $3::date[]) AS k (place, member_id, period)
            JOIN member_months h ON h.member_id = k.member_id AND h.period = k.period",
            $lock
        )
    };
}
const MONTHS: &str = months!("");
const TAKEN: &str = months!(" ORDER BY h.member_id, h.period FOR UPDATE OF h SKIP LOCKED");

/// Months of members with the facts, in the order of the input, and the version of what is in force.
pub struct MemberMonths {
    pub states: Vec<MemberState>,
    pub version: InForceVersion,
}

impl MemberMonths {
    /// Those at these places.
    pub fn only(self, places: &[usize]) -> Self {
        let states = places.iter().filter_map(|place| self.states.get(*place).cloned()).collect();
        Self { states, version: self.version }
    }

    /// Combines what was read for the same places.
    pub fn of(months: Vec<Option<Month>>, facts: Vec<Option<MemberFacts>>, version: InForceVersion) -> Self {
        let states = months.into_iter().zip(facts).map(|(month, facts)| MemberState {
            found: month.is_some(),
            month: month.unwrap_or_default(),
            facts,
        });
        Self { states: states.collect(), version }
    }
}

/// Reads the months of members as of a day in each.
pub async fn read(conn: &Conn, wanted: &[MemberDay]) -> Result<MemberMonths, Problem> {
    let (months, facts, version) =
        tokio::join!(months(conn, wanted), member_facts::read(conn, wanted), InForceVersion::read(conn));
    Ok(MemberMonths::of(months?, facts?, version?))
}

/// The members' months in which the days are, in the order of the input; none where there is no row.
pub async fn months(conn: &Conn, wanted: &[MemberDay]) -> Result<Vec<Option<Month>>, Problem> {
    find(conn, MONTHS, wanted).await
}

/// The same, but locks only existing rows that are not locked by others. Comes before any other lock of the members.
pub async fn take(conn: &Conn, wanted: &[MemberDay]) -> Result<Vec<Option<Month>>, Problem> {
    find(conn, TAKEN, wanted).await
}

async fn find(mut conn: &Conn, text: &str, wanted: &[MemberDay]) -> Result<Vec<Option<Month>>, Problem> {
    let first_days = wanted.iter().map(|(_, day)| Period::containing(*day).first_day());
    let query = sql_query(text)
        .bind::<Array<Int4>, _>((0..).take(wanted.len()).collect::<Vec<i32>>())
        .bind::<Array<SqlUuid>, _>(wanted.iter().map(|(member, _)| *member).collect::<Vec<_>>())
        .bind::<Array<Date>, _>(first_days.collect::<Vec<_>>());
    let rows: Vec<MonthRow> = Prepared(query).load(&mut conn).await?;
    let mut months = vec![None; wanted.len()];
    for row in rows {
        let counters = serde_json::from_str(&row.counters).map_err(Problem::internal)?;
        let month = Month { points: row.points, counters, closed: row.closed, version: row.month_version };
        if let Some(place) = usize::try_from(row.place).ok().and_then(|place| months.get_mut(place)) {
            *place = Some(month);
        }
    }
    Ok(months)
}

/// A row to be written to the ledger.
#[derive(Debug, Clone)]
pub struct NewEntry {
    pub member_id: Uuid,
    pub id: Uuid,
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
    pub late: bool,
}

/// Ledger and months, and an event for members who allowed an app something, in one statement.
const WRITE: &str = "WITH entries AS (
        INSERT INTO point_entries (member_id, id, kind, rule_code, rule_version, object_kind, object_id, points, period, day,
            occurred_at, unit_id, attested_by, late)
        SELECT n.member_id, n.id, 'award', n.rule_code, n.rule_version, n.object_kind, n.object_id, n.points, n.period, n.day,
            n.occurred_at, n.unit_id, n.attested_by, n.late
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int4[], $5::text[], $6::text[], $7::int4[], $8::date[], $9::date[],
            $10::timestamptz[], $11::uuid[], $12::uuid[], $13::bool[]) AS n (member_id, id, rule_code, rule_version, object_kind,
            object_id, points, period, day, occurred_at, unit_id, attested_by, late)),
    told AS (
        INSERT INTO outbox (topic, payload, created_at, available_at)
        SELECT 'points.awarded', jsonb_build_object('entry_id', n.id, 'member_id', n.member_id, 'unit_id', n.unit_id,
            'period', to_char(n.period, 'YYYY-MM'), 'points', n.points, 'rule', n.rule_code), n.occurred_at, n.occurred_at
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $7::int4[], $8::date[], $10::timestamptz[], $11::uuid[])
            AS n (member_id, id, rule_code, points, period, occurred_at, unit_id)
        WHERE EXISTS (SELECT FROM sessions s
            WHERE s.account_id = n.member_id AND s.client_id IS NOT NULL AND s.revoked_at IS NULL))
    UPDATE member_months m SET points = n.points, counters = n.counters::json
    FROM unnest($14::uuid[], $15::date[], $16::int4[], $17::text[]) AS n (member_id, period, points, counters)
    WHERE m.member_id = n.member_id AND m.period = n.period";

/// Appends awards to the ledger and writes back their months, which are locked. A row that the ledger refuses, since
/// another month credited the object at the same instant, is a conflict: the transaction has to be retried.
pub async fn write(
    mut conn: &Conn,
    mut entries: Vec<NewEntry>,
    months: &BTreeMap<MonthKey, Month>,
) -> Result<(), Problem> {
    if entries.is_empty() {
        return Ok(());
    }
    entries.sort_by_key(|entry| (entry.member_id, entry.id));
    let counters: Vec<String> = months
        .values()
        .map(|month| {
            let mut counters = month.counters.clone();
            counters.drop_old_days();
            serde_json::to_string(&counters)
        })
        .collect::<Result<_, _>>()
        .map_err(Problem::internal)?;
    macro_rules! column {
        ($field:ident) => {
            entries.iter().map(|entry| entry.$field.clone()).collect::<Vec<_>>()
        };
    }
    let written = Prepared(
        sql_query(WRITE)
            .bind::<Array<SqlUuid>, _>(column!(member_id))
            .bind::<Array<SqlUuid>, _>(column!(id))
            .bind::<Array<Text>, _>(column!(rule_code))
            .bind::<Array<Int4>, _>(column!(rule_version))
            .bind::<Array<Text>, _>(column!(object_kind))
            .bind::<Array<Text>, _>(column!(object_id))
            .bind::<Array<Int4>, _>(column!(points))
            .bind::<Array<Date>, _>(column!(period))
            .bind::<Array<Date>, _>(column!(day))
            .bind::<Array<Timestamptz>, _>(column!(occurred_at))
            .bind::<Array<SqlUuid>, _>(column!(unit_id))
            .bind::<Array<Nullable<SqlUuid>>, _>(column!(attested_by))
            .bind::<Array<Bool>, _>(column!(late))
            .bind::<Array<SqlUuid>, _>(months.keys().map(|(member, _)| *member).collect::<Vec<_>>())
            .bind::<Array<Date>, _>(months.keys().map(|(_, period)| *period).collect::<Vec<_>>())
            .bind::<Array<Int4>, _>(months.values().map(|month| month.points).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(counters),
    )
    .execute(&mut conn)
    .await;
    match written {
        Err(diesel::result::Error::DatabaseError(diesel::result::DatabaseErrorKind::UniqueViolation, info)) => {
            Err(Problem::repeatable(info.message()))
        }
        other => Ok(other.map(drop)?),
    }
}
