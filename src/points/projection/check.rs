//! Compares roll-ups with what they are made of, so many cells at a time. Says nothing while changes are waiting to be taken in.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, Date, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::problem::Problem;
use crate::kernel::schema::{projected_months, unit_kinds, units};

use super::months;
use super::rollup::{CELLS, PARENTS, THRESHOLDS};

/// Units compared at a time.
const CHUNK: usize = 2_000;

const COMPARE: &str = "
    lists AS (
        SELECT unit_id, array_agg(score ORDER BY score DESC) AS scores, array_agg(held::int ORDER BY score DESC) AS holders
        FROM tally GROUP BY unit_id),
    fresh AS (
        SELECT c.unit_id, coalesce(s.members, 0)::int AS members, coalesce(s.exempt, 0)::int AS exempt,
            coalesce(s.excused, 0)::int AS excused, coalesce(s.met, 0)::int AS met,
            coalesce(s.points_sum, 0)::bigint AS points_sum, coalesce(l.scores, '{}') AS scores,
            coalesce(l.holders, '{}') AS holders,
            EXISTS (SELECT 1 FROM unit_tree t WHERE t.descendant_id = c.unit_id
                AND t.valid_from <= $2 AND (t.valid_to IS NULL OR t.valid_to > $2)) AS there
        FROM cells c LEFT JOIN sums s USING (unit_id) LEFT JOIN lists l USING (unit_id))
    SELECT format('unit %s, month %s: %s of %s reached the threshold with %s points, the roll-up says %s of %s with %s', unit_id,
        to_char($3, 'YYYY-MM'), f.met, f.members - f.exempt - f.excused, f.points_sum, m.met, m.counted, m.points_sum) AS line
    FROM fresh f LEFT JOIN (SELECT * FROM unit_months WHERE period = $3) m USING (unit_id)
    WHERE NOT EXISTS (SELECT 1 FROM point_changes)
      AND EXISTS (SELECT 1 FROM projected_months p WHERE p.period = $3 AND p.day = $2) AND (f.there OR m.unit_id IS NOT NULL)
      AND (f.there <> (m.unit_id IS NOT NULL) OR (f.members, f.exempt, f.excused, f.met, f.points_sum, f.scores, f.holders)
          IS DISTINCT FROM (m.members, m.exempt, m.excused, m.met, m.points_sum, m.scores, m.holders))
      AND (f.members > 0 OR m.unit_id IS NOT NULL)";

#[derive(QueryableByName)]
struct Difference {
    #[diesel(sql_type = Text)]
    line: String,
}

/// A line for each roll-up that is not what its members, or the units below it, make it.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn differences(conn: &mut Conn) -> Result<Vec<String>, Problem> {
    Ok(compare(conn).await?.into_iter().map(|(_, line)| line).collect())
}

/// Has each month that differs looked through again, and returns those months.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn repair(conn: &mut Conn) -> Result<Vec<NaiveDate>, Problem> {
    let wrong: BTreeSet<(NaiveDate, NaiveDate)> = compare(conn).await?.into_iter().map(|(month, _)| month).collect();
    for (first, day) in &wrong {
        months::look_through(conn, Period::containing(*first), *day).await?;
    }
    Ok(wrong.into_iter().map(|(first, _)| first).collect())
}

/// The months, each with the day it was looked at, and what differs in them.
async fn compare(conn: &mut Conn) -> Result<Vec<((NaiveDate, NaiveDate), String)>, Problem> {
    let months: Vec<(NaiveDate, NaiveDate)> = projected_months::table
        .order(projected_months::period)
        .select((projected_months::period, projected_months::day))
        .load(conn)
        .await?;
    let all: Vec<(Uuid, bool)> = units::table
        .inner_join(unit_kinds::table.on(unit_kinds::code.eq(units::kind)))
        .order(units::id)
        .select((units::id, unit_kinds::holds_members))
        .load(conn)
        .await?;
    let mut found = Vec::new();
    for month in months {
        for cells in [true, false] {
            let ids: Vec<Uuid> = all.iter().filter(|(_, holds)| *holds == cells).map(|(id, _)| *id).collect();
            for ids in ids.chunks(CHUNK) {
                let lines = compare_some(conn, ids, cells, month).await?;
                found.extend(lines.into_iter().map(|line| (month, line)));
            }
        }
    }
    Ok(found)
}

async fn compare_some(
    conn: &mut Conn,
    ids: &[Uuid],
    cells: bool,
    (first, day): (NaiveDate, NaiveDate),
) -> Result<Vec<String>, Problem> {
    let source = if cells { format!("{THRESHOLDS}, {CELLS}") } else { PARENTS.to_owned() };
    let lines: Vec<Difference> =
        diesel::sql_query(format!("WITH wanted AS (SELECT unnest($1::uuid[]) AS unit_id), {source}, {COMPARE}"))
            .bind::<Array<SqlUuid>, _>(ids)
            .bind::<Date, _>(day)
            .bind::<Date, _>(first)
            .bind::<Date, _>(Period::containing(first).last_day())
            .load(conn)
            .await?;
    Ok(lines.into_iter().map(|difference| difference.line).collect())
}
