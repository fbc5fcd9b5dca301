//! Counters of days that a month's row no longer keeps, read from the ledger for awards that are dated so.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Date, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;

use super::AwardRequest;
use super::member_months::{Month, MonthKey};

/// What members earned alone on single days. Reversals free no cap, so only awards are summed.
const EARNED_ALONE: &str = "SELECT k.member_id, k.day, e.rule_code, sum(e.points) AS points
    FROM unnest($1::uuid[], $2::date[]) AS k (member_id, day)
    JOIN point_entries e ON e.member_id = k.member_id AND e.day = k.day AND e.kind = 'award'
    JOIN point_rules r ON r.code = e.rule_code AND r.version = e.rule_version AND r.self_service
    GROUP BY k.member_id, k.day, e.rule_code";

#[derive(QueryableByName)]
struct Earned {
    #[diesel(sql_type = SqlUuid)]
    member_id: Uuid,
    #[diesel(sql_type = Date)]
    day: NaiveDate,
    #[diesel(sql_type = Text)]
    rule_code: String,
    #[diesel(sql_type = BigInt)]
    points: i64,
}

/// Completes the counters of locked months with the days of these deeds that were dropped, so that the caps of a day hold
/// for any day of the month.
pub async fn restore(
    mut conn: &Conn,
    wants: &[&AwardRequest],
    months: &mut HashMap<MonthKey, Month>,
) -> Result<(), Problem> {
    let dropped =
        |want: &&&AwardRequest| months.get(&want.month()).is_some_and(|month| month.counters.has_dropped(want.day()));
    let days: BTreeSet<(Uuid, NaiveDate)> =
        wants.iter().filter(dropped).map(|want| (want.member_id, want.day())).collect();
    if days.is_empty() {
        return Ok(());
    }
    let mut earned: BTreeMap<(Uuid, NaiveDate), BTreeMap<String, i32>> =
        days.iter().map(|key| (*key, BTreeMap::new())).collect();
    let (members, on): (Vec<Uuid>, Vec<NaiveDate>) = days.into_iter().unzip();
    let rows: Vec<Earned> =
        sql_query(EARNED_ALONE).bind::<Array<SqlUuid>, _>(members).bind::<Array<Date>, _>(on).load(&mut conn).await?;
    for row in rows {
        let points = i32::try_from(row.points).map_err(Problem::internal)?;
        earned.entry((row.member_id, row.day)).or_default().insert(row.rule_code, points);
    }
    for ((member_id, day), rules) in earned {
        if let Some(month) = months.get_mut(&(member_id, Period::containing(day).first_day())) {
            month.counters.restore_day(day, rules);
        }
    }
    Ok(())
}
