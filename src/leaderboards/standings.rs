//! SQL of members' standings over a span, shared by computed and projected boards.

use crate::points::projection::THRESHOLDS;

/// Members of the units `$1` and everything below them on day `$2`.
pub const BELOW: &str = "
    belonging AS (
        SELECT ms.member_id, ms.unit_id, ms.valid_from FROM unit_tree t
        JOIN memberships ms ON ms.unit_id = t.descendant_id
            AND ms.valid_from <= $2 AND (ms.valid_to IS NULL OR ms.valid_to > $2)
        WHERE t.ancestor_id = ANY($1) AND t.valid_from <= $2 AND (t.valid_to IS NULL OR t.valid_to > $2))";

/// Members of the one cell in `$1` on day `$2`. PostgreSQL's estimates do not depend on the cell, so the statement is
/// planned once.
pub const OF_CELL: &str = "
    belonging AS (
        SELECT ms.member_id, ms.unit_id, ms.valid_from FROM memberships ms
        WHERE ms.unit_id = ($1)[1] AND ms.valid_from <= $2 AND (ms.valid_to IS NULL OR ms.valid_to > $2))";

/// The one member in `$1`, as far as they belong to a cell on day `$2`; planned once too.
pub const OF_MEMBER: &str = "
    belonging AS (
        SELECT ms.member_id, ms.unit_id, ms.valid_from FROM memberships ms
        WHERE ms.member_id = ($1)[1] AND ms.valid_from <= $2 AND (ms.valid_to IS NULL OR ms.valid_to > $2))";

/// The members `$1`, as far as they belong to a cell on day `$2`.
pub const THESE: &str = "
    belonging AS (
        SELECT ms.member_id, ms.unit_id, ms.valid_from FROM memberships ms
        WHERE ms.member_id = ANY($1) AND ms.valid_from <= $2 AND (ms.valid_to IS NULL OR ms.valid_to > $2))";

/// The CTE `standings` over a `belonging`: `$3` is the first day of the span, `$4` and `$5` the first and last day of
/// the reference month. What is used several times is `MATERIALIZED`: otherwise it is computed each time, and planning
/// takes longer than execution. In a month the excused are not ranked; over a longer span they are, by what they
/// earned. The threshold of a span is that of its months since the member entered. Exemptions are looked up member by member (`OFFSET 0`), instead of reading
/// those of the whole country for a cell.
pub fn standings(belonging: &str) -> String {
    format!(
        "{belonging},
        wanted AS (SELECT DISTINCT unit_id FROM belonging),
        {THRESHOLDS},
        entered AS MATERIALIZED (
            SELECT b.member_id, b.unit_id, c.threshold, c.prorated, c.excuse_days, CASE WHEN b.valid_from > $3
                THEN greatest($3, (SELECT min(f.valid_from) FROM memberships f WHERE f.member_id = b.member_id))
                ELSE $3 END AS since
            FROM belonging b JOIN cells c USING (unit_id)),
        standings AS MATERIALIZED (
            SELECT e.member_id, e.unit_id,
                coalesce((SELECT sum(mm.points) FROM member_months mm
                    WHERE mm.member_id = e.member_id AND mm.period BETWEEN $3 AND $4), 0)::int AS points,
                e.threshold * (12 * (date_part('year', $4) - date_part('year', e.since))
                    + date_part('month', $4) - date_part('month', e.since))::int
                + CASE WHEN e.prorated > 0 THEN ceil(e.threshold * (month.ends - e.since)::numeric / (month.ends - month.begins))::int
                    ELSE e.threshold END AS threshold
            FROM entered e CROSS JOIN LATERAL (
                SELECT date_trunc('month', e.since::timestamp)::date AS begins,
                    (date_trunc('month', e.since::timestamp) + interval '1 month')::date AS ends) month
            WHERE NOT EXISTS (SELECT 1 FROM exemptions x WHERE x.member_id = e.member_id AND (x.kind = 'exempt' OR $3 = $4)
                AND exempts_from_month(x.kind, x.valid_from, x.valid_to, $2, $4, $5, e.excuse_days) OFFSET 0))"
    )
}
