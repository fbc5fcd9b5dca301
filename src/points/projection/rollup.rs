//! Recomputes figures: cells from members, other units from the units below; absolute values only.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Int2, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::unit_months;
use crate::kernel::duty_cycle::DutyCycle;
use crate::kernel::http::problem::Problem;

use super::Touched;

/// What holds in each cell of the CTE `wanted` on day `$2`. The CTE `cells`.
pub const THRESHOLDS: &str = "
    cells AS MATERIALIZED (
        SELECT c.unit_id, p.threshold, p.prorated, p.excuse_days FROM wanted c CROSS JOIN LATERAL month_parameters(c.unit_id, $2) p)";

/// Cells `$1` on day `$2` in the month from `$3` to `$4`. Follows the rules of `STANDINGS`, without reading profiles.
pub const CELLS: &str = "
    standing AS (
        SELECT c.unit_id, coalesce(mm.points, 0) AS points,
            CASE WHEN c.prorated > 0 AND ms.valid_from > $3 THEN (
                    SELECT CASE WHEN min(f.valid_from) > $3
                        THEN ceil(c.threshold * ($4 - min(f.valid_from) + 1)::numeric / ($4 - $3 + 1))::int
                        ELSE c.threshold END FROM memberships f WHERE f.member_id = ms.member_id)
                ELSE c.threshold END AS threshold,
            (SELECT max(x.kind) FROM exemptions x WHERE x.member_id = ms.member_id
                AND exempts_from_month(x.kind, x.valid_from, x.valid_to, $2, $3, $4, c.excuse_days)) AS exemption
        FROM cells c JOIN memberships ms ON ms.unit_id = c.unit_id
            AND ms.valid_from <= $2 AND (ms.valid_to IS NULL OR ms.valid_to > $2)
        LEFT JOIN member_months mm ON mm.member_id = ms.member_id AND mm.period = $3),
    sums AS (
        SELECT unit_id, count(*) AS members, count(*) FILTER (WHERE exemption = 'exempt') AS exempt,
            count(*) FILTER (WHERE exemption = 'excused') AS excused,
            count(*) FILTER (WHERE exemption IS NULL AND points >= threshold) AS met,
            coalesce(sum(points) FILTER (WHERE exemption IS NULL), 0) AS points_sum
        FROM standing GROUP BY unit_id),
    tally AS (
        SELECT unit_id, points AS score, count(*) AS held, count(*) FILTER (WHERE points >= threshold) AS reached
        FROM standing WHERE exemption IS NULL GROUP BY unit_id, points)";

/// Units `$1` on day `$2` in the month from `$3`; `$4` is unused, and bound to match the other query.
pub const PARENTS: &str = "
    cells AS (SELECT unit_id FROM wanted),
    below AS (
        SELECT t.parent_id AS ancestor_id, m.* FROM unit_links t JOIN unit_months m ON m.unit_id = t.unit_id AND m.period = $3
        WHERE t.parent_id = ANY($1) AND $4::date IS NOT NULL
          AND t.valid_from <= $2 AND (t.valid_to IS NULL OR t.valid_to > $2)),
    sums AS (
        SELECT ancestor_id AS unit_id, sum(members) AS members, sum(exempt) AS exempt, sum(excused) AS excused,
            sum(met) AS met, sum(points_sum) AS points_sum FROM below GROUP BY ancestor_id),
    tally AS (
        SELECT b.ancestor_id AS unit_id, s.score, sum(s.held) AS held, coalesce(sum(s.reached), 0) AS reached
        FROM below b CROSS JOIN LATERAL unnest(b.scores, b.holders, b.reached) AS s(score, held, reached)
        GROUP BY b.ancestor_id, s.score)";

/// The CTE `lists`: the scores of a unit, the highest first, how many hold each, and how many of these reached their threshold.
pub const LISTS: &str = "
    lists AS (
        SELECT unit_id, array_agg(score ORDER BY score DESC) AS scores, array_agg(held::int ORDER BY score DESC) AS holders,
            array_agg(reached::int ORDER BY score DESC) AS reached
        FROM tally GROUP BY unit_id)";

const WRITE: &str = "
    INSERT INTO unit_months
        (period, unit_id, members, exempt, excused, met, points_sum, scores, holders, reached, taken_at, fence)
    SELECT $3, c.unit_id, coalesce(s.members, 0), coalesce(s.exempt, 0), coalesce(s.excused, 0), coalesce(s.met, 0),
        coalesce(s.points_sum, 0), coalesce(l.scores, '{}'), coalesce(l.holders, '{}'),
        coalesce(l.reached, '{}'), $5, $6
    FROM cells c LEFT JOIN sums s USING (unit_id) LEFT JOIN lists l USING (unit_id)
    ON CONFLICT (period, unit_id) DO UPDATE SET members = excluded.members, exempt = excluded.exempt,
        excused = excluded.excused, met = excluded.met, points_sum = excluded.points_sum, scores = excluded.scores,
        holders = excluded.holders, reached = excluded.reached, taken_at = excluded.taken_at, fence = excluded.fence";

/// Units recomputed in one statement, which keeps PostgreSQL busy for some 25 ms when they are cells.
const PORTION: usize = 100;

#[derive(QueryableByName)]
struct Above {
    #[diesel(sql_type = SqlUuid)]
    unit_id: Uuid,
    #[diesel(sql_type = Int2)]
    rank: i16,
    #[diesel(sql_type = Bool)]
    holds_members: bool,
}

/// Recomputes the figures of everything touched in a month, and of all units above it, the lowest first.
pub async fn refresh(
    conn: &mut Conn,
    touched: &Touched,
    day: NaiveDate,
    fence: i64,
    now: DateTime<Utc>,
    pace: &mut DutyCycle,
) -> Result<(), Problem> {
    let period = touched.period;
    let mut units = touched.units.clone();
    units.extend(cells_of(conn, touched, day).await?);
    if units.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = units.iter().copied().collect();
    let mut ranks: BTreeMap<i16, (bool, Vec<Uuid>)> = BTreeMap::new();
    for above in above(conn, &ids, day).await? {
        units.remove(&above.unit_id);
        ranks.entry(above.rank).or_insert((above.holds_members, Vec::new())).1.push(above.unit_id);
    }
    forget(conn, period, &units).await?;
    for (holds_members, units) in ranks.into_values().rev() {
        let source = if holds_members { format!("{THRESHOLDS}, {CELLS}") } else { PARENTS.to_owned() };
        let query = format!("WITH wanted AS (SELECT unnest($1::uuid[]) AS unit_id), {source}, {LISTS} {WRITE}");
        for portion in units.chunks(PORTION) {
            pace.next().await;
            diesel::sql_query(&query)
                .bind::<Array<SqlUuid>, _>(portion)
                .bind::<Date, _>(day)
                .bind::<Date, _>(period.first_day())
                .bind::<Date, _>(period.last_day())
                .bind::<Timestamptz, _>(now)
                .bind::<BigInt, _>(fence)
                .execute(conn)
                .await?;
        }
    }
    Ok(())
}

#[derive(QueryableByName)]
struct CellTotals {
    #[diesel(sql_type = SqlUuid)]
    unit_id: Uuid,
}

async fn cells_of(conn: &mut Conn, touched: &Touched, day: NaiveDate) -> Result<BTreeSet<Uuid>, Problem> {
    let members: Vec<Uuid> = touched.members.union(&touched.moved).copied().collect();
    if members.is_empty() {
        return Ok(BTreeSet::new());
    }
    let cells: Vec<CellTotals> = diesel::sql_query(
        "SELECT DISTINCT unit_id FROM memberships
         WHERE member_id = ANY($1) AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2)",
    )
    .bind::<Array<SqlUuid>, _>(members)
    .bind::<Date, _>(day)
    .load(conn)
    .await?;
    Ok(cells.into_iter().map(|cell| cell.unit_id).collect())
}

/// The units themselves and all above them on the day.
async fn above(conn: &mut Conn, units: &[Uuid], day: NaiveDate) -> Result<Vec<Above>, Problem> {
    Ok(diesel::sql_query(
        "SELECT u.id AS unit_id, k.rank, k.holds_members FROM units u JOIN unit_kinds k ON k.code = u.kind
         WHERE u.id IN (SELECT t.ancestor_id FROM unit_tree t WHERE t.descendant_id = ANY($1)
             AND t.valid_from <= $2 AND (t.valid_to IS NULL OR t.valid_to > $2)) ORDER BY u.id",
    )
    .bind::<Array<SqlUuid>, _>(units)
    .bind::<Date, _>(day)
    .load(conn)
    .await?)
}

/// Units that do not exist on the day have no figures of the month.
async fn forget(conn: &mut Conn, period: Period, units: &BTreeSet<Uuid>) -> Result<(), Problem> {
    if units.is_empty() {
        return Ok(());
    }
    let gone = unit_months::table
        .filter(unit_months::period.eq(period.first_day()))
        .filter(unit_months::unit_id.eq_any(units.iter().copied().collect::<Vec<_>>()));
    diesel::delete(gone).execute(conn).await?;
    Ok(())
}
