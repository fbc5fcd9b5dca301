//! Daily search of the ledger for perfect regularity: the same second of the day, all month.
//!
//! Only the ledger is read: no other data about a person's days is kept.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::clock::{VIET_NAM, day_of};
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{case_scans, members};
use crate::kernel::http::problem::Problem;
use crate::kernel::ids::first_id;

use super::model::CaseKind;
use super::store::{self, Finding};

/// Members per step. Few enough that PostgreSQL looks them up one by one, in about 20 ms. With more it scans the whole
/// ledger on all its cores, which takes ten times as long per member and delayed all other requests for seconds.
const STEP: i64 = 200;
/// Days that are searched, today included.
const WINDOW: u64 = 31;
/// The first regular day lies at least this many days back: a week of punctuality proves nothing.
const SPAN: u64 = 29;
/// Minimum number of days with an award by one rule. Visits alone give eight a month.
const FEWEST_DAYS: i64 = 8;
/// Maximum seconds between the earliest and the latest time of the day. No person is this exact so often.
const SECONDS_APART: i64 = 5;

/// See [`super::look_for_regularity`]. The locked row is the lease: an instance that dies loses it.
pub async fn step(conn: &mut Conn, now: DateTime<Utc>) -> Result<bool, Problem> {
    let today = day_of(now);
    let scan: Option<(NaiveDate, Option<Uuid>, bool)> = case_scans::table
        .find("regularity")
        .select((case_scans::day, case_scans::after_member, case_scans::done))
        .for_update()
        .skip_locked()
        .first(conn)
        .await
        .optional()?;
    let Some((day, after, done)) = scan else {
        return Ok(false);
    };
    if done && day >= today {
        return Ok(false);
    }
    // An unfinished search continues on the next day; otherwise the last members would never be checked.
    let fresh = done;
    let mut query = members::table.order(members::id).limit(STEP).select(members::id).into_boxed();
    if let Some(after) = after.filter(|_| !fresh) {
        query = query.filter(members::id.gt(after));
    }
    let ids: Vec<Uuid> = query.load(conn).await?;
    look_at(conn, &ids, today, now).await?;
    let last = ids.last().copied();
    let done = i64::try_from(ids.len()).unwrap_or(0) < STEP;
    diesel::update(case_scans::table.find("regularity"))
        .set((case_scans::day.eq(today), case_scans::after_member.eq(last), case_scans::done.eq(done)))
        .execute(conn)
        .await?;
    Ok(!done)
}

#[derive(QueryableByName)]
struct Regular {
    #[diesel(sql_type = SqlUuid)]
    member_id: Uuid,
    #[diesel(sql_type = Text)]
    rule_code: String,
    #[diesel(sql_type = BigInt)]
    days: i64,
    #[diesel(sql_type = Date)]
    first_day: NaiveDate,
    #[diesel(sql_type = Date)]
    last_day: NaiveDate,
    #[diesel(sql_type = BigInt)]
    earliest: i64,
    #[diesel(sql_type = BigInt)]
    latest: i64,
}

async fn look_at(conn: &mut Conn, ids: &[Uuid], today: NaiveDate, now: DateTime<Utc>) -> Result<(), Problem> {
    let from = today - Days::new(WINDOW - 1);
    let found: Vec<Regular> = diesel::sql_query(
        "SELECT DISTINCT ON (member_id) member_id, rule_code, count(*) AS days, min(day) AS first_day, max(day) AS last_day,
            min(second) AS earliest, max(second) AS latest
         FROM (SELECT member_id, rule_code, day, min((extract(epoch FROM occurred_at)::bigint + $7) % 86400) AS second
               FROM point_entries WHERE member_id = ANY($1) AND id >= $2 AND day >= $3 AND kind = 'award'
                 AND attested_by IS NULL GROUP BY member_id, rule_code, day) firsts
         GROUP BY member_id, rule_code
         HAVING count(*) >= $4 AND min(day) <= $5 AND max(second) - min(second) <= $6
         ORDER BY member_id, count(*) DESC, rule_code",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<SqlUuid, _>(first_id_of(from))
    .bind::<Date, _>(from)
    .bind::<BigInt, _>(FEWEST_DAYS)
    .bind::<Date, _>(today - Days::new(SPAN))
    .bind::<BigInt, _>(SECONDS_APART)
    .bind::<BigInt, _>(i64::from(VIET_NAM.local_minus_utc()))
    .load(conn)
    .await?;
    for regular in found {
        let subject = regular.member_id;
        // Evidence of a decided case does not count again.
        let judged = store::last_decision(conn, CaseKind::Regularity, subject).await?;
        if judged.is_some_and(|judged| day_of(judged) >= regular.first_day) {
            continue;
        }
        let concerned = vec![subject];
        let evidence = evidence(&regular);
        let finding = Finding {
            kind: CaseKind::Regularity,
            subject,
            places: concerned.clone(),
            unit_id: None,
            concerned,
            evidence,
        };
        store::open(conn, &finding, now).await?;
    }
    Ok(())
}

fn evidence(regular: &Regular) -> serde_json::Value {
    let second = u32::try_from(regular.earliest).unwrap_or(0);
    let at = NaiveTime::from_num_seconds_from_midnight_opt(second, 0).unwrap_or(NaiveTime::MIN);
    json!({
        "rule": regular.rule_code,
        "days": regular.days,
        "first_day": regular.first_day,
        "last_day": regular.last_day,
        "time_of_day": at.to_string(),
        "seconds_apart": regular.latest - regular.earliest,
    })
}

/// Ids rise with time: no entry of that day or later has a smaller one.
fn first_id_of(day: NaiveDate) -> Uuid {
    first_id(day.and_time(NaiveTime::MIN).and_utc() - VIET_NAM)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ids::new_id;

    #[test]
    fn ids_of_a_day_are_not_smaller_than_its_first() {
        let day: NaiveDate = "2026-11-20".parse().unwrap();
        let first = first_id_of(day);
        let at = |instant: &str| new_id(instant.parse::<DateTime<Utc>>().unwrap());
        assert!(at("2026-11-19T16:59:59Z") < first);
        assert!(at("2026-11-19T17:00:00Z") >= first);
    }
}
