//! Awards for deeds of the past, many members at a time: for data that is brought in, not for requests.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::sql_types::{Array, Date, Int4, Jsonb, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::problem::Problem;
use crate::kernel::schema::point_entries;

use super::engine::split;
use super::model::Deed;
use super::rules::{self, Facts, Rule};
use super::store::{self, Month, NewEntry};

/// Rows a statement; each has 13 parameters of the 65,535 that PostgreSQL takes.
const CHUNK: usize = 2_000;

/// What a member did, and when; in order of time.
pub type Deeds = Vec<(Deed, DateTime<Utc>)>;

/// Awards what the rules give for the deeds of members who have no entries in those months yet. Returns the points.
///
/// # Errors
/// 503 when the database cannot be reached, an internal error when a month was not empty.
pub async fn award_history(conn: &mut Conn, mut deeds: Vec<(Uuid, Deeds)>) -> Result<i64, Problem> {
    deeds.sort_by_key(|(member, _)| *member);
    let (mut entries, mut months) = (Vec::new(), Vec::new());
    let mut known: BTreeMap<NaiveDate, Vec<Rule>> = BTreeMap::new();
    for (member, deeds) in deeds {
        for (period, deeds) in by_month(deeds) {
            let day = period.last_day().min(deeds.last().map_or(period.last_day(), |(_, at)| day_of(*at)));
            let rules = match known.remove(&period.first_day()) {
                Some(rules) => rules,
                None => store::rules(conn, day).await?,
            };
            let month = decide_month(conn, member, &rules, deeds, day, &mut entries).await?;
            known.insert(period.first_day(), rules);
            months.push((member, period, month));
        }
    }
    for chunk in entries.chunks(CHUNK) {
        diesel::insert_into(point_entries::table).values(chunk).execute(conn).await?;
    }
    write_months(conn, &months).await?;
    Ok(months.iter().map(|(_, _, month)| i64::from(month.points)).sum())
}

fn by_month(deeds: Deeds) -> BTreeMap<Period, Deeds> {
    let mut months: BTreeMap<Period, Deeds> = BTreeMap::new();
    for (deed, at) in deeds {
        months.entry(Period::containing(day_of(at))).or_default().push((deed, at));
    }
    months
}

async fn decide_month(
    conn: &mut Conn,
    member: Uuid,
    rules: &[Rule],
    deeds: Deeds,
    day: NaiveDate,
    entries: &mut Vec<NewEntry>,
) -> Result<Month, Problem> {
    let mut month = Month::default();
    let Some(facts) = store::member_facts(conn, member, day, Period::containing(day)).await? else {
        return Ok(month);
    };
    let parameters = store::parameters(conn, &facts.path, day).await?;
    for (deed, at) in deeds {
        let known = Facts {
            event: deed.event,
            percent: deed.percent,
            day: day_of(at),
            without_device: facts.without_device,
            self_service_cap: parameters.self_service_cap,
            credited: &BTreeSet::new(),
        };
        let decided = rules::decide(rules, &known, &mut month.counters);
        let (new, _) = split(&decided, &deed, member, &facts, at);
        month.points += new.iter().map(|entry| entry.points).sum::<i32>();
        entries.extend(new);
    }
    Ok(month)
}

async fn write_months(conn: &mut Conn, months: &[(Uuid, Period, Month)]) -> Result<(), Problem> {
    for chunk in months.chunks(CHUNK) {
        let members: Vec<Uuid> = chunk.iter().map(|(member, ..)| *member).collect();
        let periods: Vec<NaiveDate> = chunk.iter().map(|(_, period, _)| period.first_day()).collect();
        let points: Vec<i32> = chunk.iter().map(|(.., month)| month.points).collect();
        let counters: Vec<serde_json::Value> = chunk
            .iter()
            .map(|(.., month)| serde_json::to_value(&month.counters))
            .collect::<Result<_, _>>()
            .map_err(Problem::internal)?;
        diesel::sql_query(
            "INSERT INTO member_months (member_id, period, points, counters) SELECT * FROM unnest($1, $2, $3, $4)",
        )
        .bind::<Array<SqlUuid>, _>(members)
        .bind::<Array<Date>, _>(periods)
        .bind::<Array<Int4>, _>(points)
        .bind::<Array<Jsonb>, _>(counters)
        .execute(conn)
        .await?;
    }
    Ok(())
}
