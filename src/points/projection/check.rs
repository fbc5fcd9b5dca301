//! Compares roll-ups with their sources in chunks, also while changes are pending.
//! A roll-up that differs while a change is pending may be right in a moment: it is in doubt, and
//! is compared again.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Date, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{projected_months, unit_kinds, units};
use crate::kernel::http::problem::Problem;

use super::months;
use super::rollup::{CELLS, LISTS, PARENTS, THRESHOLDS};

/// Units compared at a time.
const CHUNK: usize = 2_000;

/// Differences, and whether a change is pending for them. One statement sees changes and figures of the same moment,
/// and a change is deleted in the transaction that writes its figures: a difference without a pending change is an
/// error. Changes of members make only their cells differ, since units above are compared with the units below them,
/// which are written together with them. Other changes are few, and finding out what they concern would be costly:
/// while one is pending, all differences of its months are in doubt.
const COMPARE: &str = "
    fresh AS (
        SELECT c.unit_id, coalesce(s.members, 0)::int AS members, coalesce(s.exempt, 0)::int AS exempt,
            coalesce(s.excused, 0)::int AS excused, coalesce(s.met, 0)::int AS met,
            coalesce(s.points_sum, 0)::bigint AS points_sum, coalesce(l.scores, '{}') AS scores,
            coalesce(l.holders, '{}') AS holders, coalesce(l.reached, '{}') AS reached,
            EXISTS (SELECT 1 FROM unit_tree t WHERE t.descendant_id = c.unit_id
                AND t.valid_from <= $2 AND (t.valid_to IS NULL OR t.valid_to > $2)) AS there
        FROM cells c LEFT JOIN sums s USING (unit_id) LEFT JOIN lists l USING (unit_id)),
    waiting AS (SELECT kind, ids FROM point_changes WHERE since <= $4 AND (until IS NULL OR until >= $3)),
    touched AS (
        SELECT ms.unit_id FROM waiting w CROSS JOIN LATERAL unnest(w.ids) AS c(member_id)
        JOIN memberships ms ON ms.member_id = c.member_id
            AND ms.valid_from <= $2 AND (ms.valid_to IS NULL OR ms.valid_to > $2)
        WHERE w.kind IN ('members', 'moved'))
    SELECT f.unit_id, f.unit_id IN (SELECT t.unit_id FROM touched t)
            OR EXISTS (SELECT 1 FROM waiting w WHERE w.kind NOT IN ('members', 'moved'))
            OR NOT EXISTS (SELECT 1 FROM projected_months p WHERE p.period = $3 AND p.day = $2) AS waits,
        format('unit %s, month %s: %s of %s reached the threshold with %s points, the roll-up says %s of %s with %s',
            f.unit_id, to_char($3, 'YYYY-MM'), f.met, f.members - f.exempt - f.excused, f.points_sum,
            m.met, m.counted, m.points_sum) AS line
    FROM fresh f LEFT JOIN (SELECT * FROM unit_months WHERE period = $3) m USING (unit_id)
    WHERE (f.there OR m.unit_id IS NOT NULL)
      AND (f.there <> (m.unit_id IS NOT NULL) OR (f.members, f.exempt, f.excused, f.met, f.points_sum, f.scores, f.holders, f.reached)
          IS DISTINCT FROM (m.members, m.exempt, m.excused, m.met, m.points_sum, m.scores, m.holders, m.reached))
      AND (f.members > 0 OR m.unit_id IS NOT NULL)";

#[derive(QueryableByName)]
struct MonthDifference {
    #[diesel(sql_type = SqlUuid)]
    unit_id: Uuid,
    #[diesel(sql_type = Bool)]
    waits: bool,
    #[diesel(sql_type = Text)]
    line: String,
}

/// Result of a comparison.
#[derive(Debug)]
pub struct Compared {
    /// The first differences.
    pub lines: Vec<String>,
    /// How many there are.
    pub count: usize,
    /// Roll-ups that differ while changes are pending, so that it is undecided whether they are wrong.
    pub in_doubt: usize,
}

/// Findings so far.
#[derive(Default)]
struct ComparedMonth {
    /// Lines kept at most.
    most: usize,
    lines: Vec<String>,
    count: usize,
    /// Months with any difference, in doubt or not, each with the day of the comparison.
    months: BTreeMap<NaiveDate, NaiveDate>,
    /// Units to be compared again.
    doubts: BTreeMap<ComparedPart, Vec<Uuid>>,
}

/// The first day of a month, and whether it is about units that hold members.
type ComparedPart = (NaiveDate, bool);

impl ComparedMonth {
    fn take_in(&mut self, part: ComparedPart, day: NaiveDate, difference: MonthDifference) {
        self.months.insert(part.0, day);
        if difference.waits {
            self.doubts.entry(part).or_default().push(difference.unit_id);
            return;
        }
        self.count += 1;
        if self.lines.len() < self.most {
            self.lines.push(difference.line);
        }
    }
}

/// Returns the first `most` roll-ups that do not match their members or the units below them. Those in doubt are
/// compared again as long as `again` returns true; it gets the number of repetitions so far and may wait for the
/// projector.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn differences(
    conn: &mut Conn,
    most: usize,
    again: impl AsyncFn(usize) -> Result<bool, Problem>,
) -> Result<Compared, Problem> {
    let mut seen = ComparedMonth { most, ..ComparedMonth::default() };
    look_at_all(conn, &mut seen).await?;
    let mut looked = 0;
    while !seen.doubts.is_empty() && again(looked).await? {
        looked += 1;
        for (part, ids) in std::mem::take(&mut seen.doubts) {
            look(conn, part, &ids, &mut seen).await?;
        }
    }
    let in_doubt = seen.doubts.values().map(Vec::len).sum();
    Ok(Compared { lines: seen.lines, count: seen.count, in_doubt })
}

/// Schedules a full recount of each month that differs, and returns those months. Months in doubt are included:
/// recounting a correct month costs only time, and a wrong one would stay wrong.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn repair(conn: &mut Conn) -> Result<Vec<NaiveDate>, Problem> {
    let mut seen = ComparedMonth::default();
    look_at_all(conn, &mut seen).await?;
    for (first, day) in &seen.months {
        months::look_through(conn, Period::containing(*first), *day).await?;
    }
    Ok(seen.months.into_keys().collect())
}

async fn look_at_all(conn: &mut Conn, seen: &mut ComparedMonth) -> Result<(), Problem> {
    let months: Vec<NaiveDate> =
        projected_months::table.order(projected_months::period).select(projected_months::period).load(conn).await?;
    let all: Vec<(Uuid, bool)> = units::table
        .inner_join(unit_kinds::table.on(unit_kinds::code.eq(units::kind)))
        .order(units::id)
        .select((units::id, unit_kinds::holds_members))
        .load(conn)
        .await?;
    for first in months {
        for cells in [true, false] {
            let ids: Vec<Uuid> = all.iter().filter(|(_, holds)| *holds == cells).map(|(id, _)| *id).collect();
            look(conn, (first, cells), &ids, seen).await?;
        }
    }
    Ok(())
}

async fn look(conn: &mut Conn, part: ComparedPart, ids: &[Uuid], seen: &mut ComparedMonth) -> Result<(), Problem> {
    let (first, cells) = part;
    let source = if cells { format!("{THRESHOLDS}, {CELLS}") } else { PARENTS.to_owned() };
    let query = format!("WITH wanted AS (SELECT unnest($1::uuid[]) AS unit_id), {source}, {LISTS}, {COMPARE}");
    for ids in ids.chunks(CHUNK) {
        // Read each time: it moves on at midnight.
        let day: NaiveDate = projected_months::table.find(first).select(projected_months::day).first(conn).await?;
        let found: Vec<MonthDifference> = diesel::sql_query(&query)
            .bind::<Array<SqlUuid>, _>(ids)
            .bind::<Date, _>(day)
            .bind::<Date, _>(first)
            .bind::<Date, _>(Period::containing(first).last_day())
            .load(conn)
            .await?;
        for difference in found {
            seen.take_in(part, day, difference);
        }
    }
    Ok(())
}
