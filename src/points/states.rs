//! Members' months in sets: locked, read with what the engine must know of their members, and written with the ledger.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Bool, Date, Int4, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::problem::Problem;
use crate::kernel::statement::Prepared;

use super::rules::Counters;

/// A member's month: the member and its first day.
pub type MonthKey = (Uuid, NaiveDate);

/// Tells one state of a month's row from another; 0 while there is no row. It comes back only after four thousand million
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

/// What the engine must know of a member on a day.
#[derive(Debug, Clone)]
pub struct MemberFacts {
    pub without_device: bool,
    /// First day of the first membership in the system.
    pub entered: NaiveDate,
    /// `exempt` or `excused` in the month.
    pub exemption: Option<String>,
    pub cell: Uuid,
}

/// A member's month together with the facts; no facts for whoever belongs to no cell on the day.
#[derive(Debug, Clone, Default)]
pub struct State {
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

/// Makes the months that have no row yet.
pub async fn make(mut conn: &Conn, keys: &BTreeSet<MonthKey>) -> Result<(), Problem> {
    keyed!(MAKE, keys).execute(&mut conn).await?;
    Ok(())
}

/// Locks months in the order of members, making the rows that are missing and waiting for whoever holds them. Comes before
/// any other lock of the members.
pub async fn lock(mut conn: &Conn, keys: &BTreeSet<MonthKey>) -> Result<(), Problem> {
    // Whoever waits for locks makes all rows first: a row of somebody else's making is waited for as well, and two who hold
    // some and wait for others would never end.
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
struct StateRow {
    #[diesel(sql_type = Int4)]
    place: i32,
    #[diesel(sql_type = Nullable<Bool>)]
    without_device: Option<bool>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    cell: Option<Uuid>,
    #[diesel(sql_type = Nullable<Date>)]
    entered: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Text>)]
    exemption: Option<String>,
    #[diesel(sql_type = BigInt)]
    month_version: i64,
    #[diesel(sql_type = Bool)]
    found: bool,
    #[diesel(sql_type = Nullable<Int4>)]
    points: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    counters: Option<String>,
    #[diesel(sql_type = Bool)]
    closed: bool,
    #[diesel(sql_type = BigInt)]
    version: i64,
}

/// What is known of members and of their months, which are read from `$months`. An excuse counts for every month it touches,
/// an exemption when it holds on the day, and then it comes before an excuse (`exempt` sorts last).
macro_rules! states {
    ($with:literal, $months:literal) => {
        concat!(
            $with,
            "SELECT k.place, m.without_device, ms.unit_id AS cell,
                (SELECT f.valid_from FROM memberships f WHERE f.member_id = k.member_id ORDER BY f.valid_from LIMIT 1) AS entered,
                (SELECT max(x.kind) FROM exemptions x WHERE x.member_id = k.member_id AND (
                    (x.kind = 'exempt' AND x.valid_from <= k.day AND (x.valid_to IS NULL OR x.valid_to > k.day))
                    OR (x.kind = 'excused' AND x.valid_from <= k.last_day AND (x.valid_to IS NULL OR x.valid_to > k.period))))
                    AS exemption,
                coalesce(mm.version, 0) AS month_version, mm.member_id IS NOT NULL AS found, mm.points, mm.counters::text AS counters, mm.closed_at IS NOT NULL AS closed,
                v.version
            FROM unnest($1::int4[], $2::uuid[], $3::date[], $4::date[], $5::date[]) AS k (place, member_id, day, period, last_day)
            CROSS JOIN points_in_force v
            LEFT JOIN members m ON m.id = k.member_id
            LEFT JOIN memberships ms ON ms.member_id = k.member_id
                AND ms.valid_from <= k.day AND (ms.valid_to IS NULL OR ms.valid_to > k.day)
            LEFT JOIN ",
            $months,
            " mm ON mm.member_id = k.member_id AND mm.period = k.period"
        )
    };
}
const STATES: &str = states!("", "(SELECT *, xmin::text::bigint AS version FROM member_months)");
/// The rows that are locked are those as they are now, whatever else the statement sees.
const TAKEN: &str = states!(
    "WITH held AS MATERIALIZED (
        SELECT h.member_id, h.period, h.points, h.counters, h.closed_at, h.xmin::text::bigint AS version FROM unnest($6::uuid[], $7::date[]) AS k (member_id, period)
        JOIN member_months h ON h.member_id = k.member_id AND h.period = k.period
        ORDER BY h.member_id, h.period FOR UPDATE OF h SKIP LOCKED) ",
    "held"
);

/// The months of members, in the order asked for, and the version of what is in force.
pub struct States {
    pub states: Vec<State>,
    pub version: i64,
}

impl States {
    /// Those at these places.
    pub fn only(self, places: &[usize]) -> Self {
        let states = places.iter().filter_map(|place| self.states.get(*place).cloned()).collect();
        Self { states, version: self.version }
    }
}

/// A statement over members and a day of each.
macro_rules! over {
    ($text:ident, $wanted:ident) => {
        sql_query($text)
            .bind::<Array<Int4>, _>((0..).take($wanted.len()).collect::<Vec<i32>>())
            .bind::<Array<SqlUuid>, _>($wanted.iter().map(|(member, _)| *member).collect::<Vec<_>>())
            .bind::<Array<Date>, _>($wanted.iter().map(|(_, day)| *day).collect::<Vec<_>>())
            .bind::<Array<Date>, _>($wanted.iter().map(|(_, day)| first(day)).collect::<Vec<_>>())
            .bind::<Array<Date>, _>(
                $wanted.iter().map(|(_, day)| Period::containing(*day).last_day()).collect::<Vec<_>>(),
            )
    };
}

/// Reads the months of members as of a day in each.
pub async fn read(mut conn: &Conn, wanted: &[(Uuid, NaiveDate)]) -> Result<States, Problem> {
    collect(wanted.len(), Prepared(over!(STATES, wanted)).load(&mut conn).await?)
}

/// The same, locking the months that exist and that nobody else holds: those are `found`. Comes before any other lock of the
/// members.
pub async fn take(mut conn: &Conn, wanted: &[(Uuid, NaiveDate)]) -> Result<States, Problem> {
    let keys: BTreeSet<MonthKey> = wanted.iter().map(|(member, day)| (*member, first(day))).collect();
    let (members, periods): (Vec<Uuid>, Vec<NaiveDate>) = keys.into_iter().unzip();
    let query = over!(TAKEN, wanted).bind::<Array<SqlUuid>, _>(members).bind::<Array<Date>, _>(periods);
    collect(wanted.len(), Prepared(query).load(&mut conn).await?)
}

fn first(day: &NaiveDate) -> NaiveDate {
    Period::containing(*day).first_day()
}

fn collect(wanted: usize, rows: Vec<StateRow>) -> Result<States, Problem> {
    let version = rows.iter().map(|row| row.version).next().unwrap_or_default();
    let mut states = vec![State::default(); wanted];
    for row in rows {
        if let Some(state) = usize::try_from(row.place).ok().and_then(|place| states.get_mut(place)) {
            *state = row.state()?;
        }
    }
    Ok(States { states, version })
}

impl StateRow {
    fn state(self) -> Result<State, Problem> {
        let counters = self.counters.map(|text| serde_json::from_str(&text)).transpose().map_err(Problem::internal)?;
        let month = Month {
            points: self.points.unwrap_or_default(),
            counters: counters.unwrap_or_default(),
            closed: self.closed,
            version: self.month_version,
        };
        let facts = match (self.cell, self.without_device, self.entered) {
            (Some(cell), Some(without_device), Some(entered)) => {
                Some(MemberFacts { without_device, entered, exemption: self.exemption, cell })
            }
            _ => None,
        };
        Ok(State { facts, month, found: self.found })
    }
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

const WRITE: &str = "WITH entries AS (
        INSERT INTO point_entries (member_id, id, kind, rule_code, rule_version, object_kind, object_id, points, period, day,
            occurred_at, unit_id, attested_by, late)
        SELECT n.member_id, n.id, 'award', n.rule_code, n.rule_version, n.object_kind, n.object_id, n.points, n.period, n.day,
            n.occurred_at, n.unit_id, n.attested_by, n.late
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int4[], $5::text[], $6::text[], $7::int4[], $8::date[], $9::date[],
            $10::timestamptz[], $11::uuid[], $12::uuid[], $13::bool[]) AS n (member_id, id, rule_code, rule_version, object_kind,
            object_id, points, period, day, occurred_at, unit_id, attested_by, late))
    UPDATE member_months m SET points = n.points, counters = n.counters::jsonb
    FROM unnest($14::uuid[], $15::date[], $16::int4[], $17::text[]) AS n (member_id, period, points, counters)
    WHERE m.member_id = n.member_id AND m.period = n.period";

/// Appends awards to the ledger and writes back the months they belong to, which are locked. What the ledger refuses, since
/// another month credited it at the same instant, is a conflict: the transaction is to be run again.
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
        .map(|month| serde_json::to_string(&month.counters))
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
