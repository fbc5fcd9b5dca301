//! Checks of caps against the last award only: earlier awards were given under earlier caps.

use super::{Check, VerifyScope};

/// Caps as narrowed by units, for the cells below them. The day on which a cell comes below a unit is left out: the
/// cell may have earned before.
macro_rules! narrowed {
    ($query:literal) => {
        concat!(
            "WITH narrowed AS MATERIALIZED (
                SELECT t.descendant_id AS unit_id, l.rule_code, l.cap_day, l.cap_month,
                    greatest(t.valid_from + 1, l.valid_from) AS since, least(t.valid_to, l.valid_to) AS until
                FROM point_rule_changes l JOIN unit_tree t ON t.ancestor_id = l.unit_id
                WHERE l.scope = 'unit' AND l.state = 'published' AND (l.cap_day IS NOT NULL OR l.cap_month IS NOT NULL)) ",
            $query
        )
    };
}

pub const CAPS: &[Check] = &[
    Check {
        proves: "no member has more points a day from a rule than its cap",
        scope: VerifyScope::Members,
        query: "SELECT format('member %s, %s, rule %s: %s points over a cap of %s', e.member_id, e.day, e.rule_code, sum(e.points), r.cap_day) AS line
                FROM point_entries e JOIN point_rules r ON r.code = e.rule_code AND r.version = e.rule_version
                WHERE e.kind = 'award' AND e.member_id > $1 AND e.member_id <= $2 AND r.cap_day IS NOT NULL
                GROUP BY e.member_id, e.day, e.rule_code, r.cap_day HAVING sum(e.points) > r.cap_day",
    },
    Check {
        proves: "no member has more points a month from a rule than its cap",
        scope: VerifyScope::Members,
        query: "SELECT format('member %s, month %s, rule %s: %s points over a cap of %s', e.member_id, to_char(e.period, 'YYYY-MM'),
                    e.rule_code, e.points, r.cap_month) AS line
                FROM (SELECT member_id, period, rule_code, sum(points) AS points,
                        (array_agg(rule_version ORDER BY id DESC))[1] AS rule_version
                    FROM point_entries WHERE kind = 'award' AND member_id > $1 AND member_id <= $2
                      AND rule_code IN (SELECT code FROM point_rules WHERE cap_month IS NOT NULL)
                    GROUP BY member_id, period, rule_code) e
                JOIN point_rules r ON r.code = e.rule_code AND r.version = e.rule_version
                WHERE e.points > r.cap_month",
    },
    Check {
        proves: "no member has more points a day from a rule than the units above leave",
        scope: VerifyScope::Members,
        query: narrowed!(
            "SELECT format('member %s, %s, rule %s: %s points over a cap of %s', e.member_id, e.day, rule_code, e.points, n.cap_day) AS line
             FROM (SELECT member_id, day, rule_code, sum(points) AS points, (array_agg(unit_id ORDER BY id DESC))[1] AS unit_id
                 FROM point_entries WHERE EXISTS (SELECT 1 FROM narrowed) AND kind = 'award' AND member_id > $1 AND member_id <= $2
                   AND rule_code IN (SELECT rule_code FROM narrowed)
                 GROUP BY member_id, day, rule_code) e
             JOIN narrowed n USING (unit_id, rule_code)
             WHERE n.since <= e.day AND (n.until IS NULL OR n.until > e.day) AND e.points > n.cap_day"
        ),
    },
    Check {
        proves: "no member has more points a month from a rule than the units above leave",
        scope: VerifyScope::Members,
        query: narrowed!(
            "SELECT format('member %s, month %s, rule %s: %s points over a cap of %s', e.member_id, to_char(e.period, 'YYYY-MM'),
                 rule_code, e.points, n.cap_month) AS line
             FROM (SELECT member_id, period, rule_code, sum(points) AS points,
                     (array_agg(unit_id ORDER BY id DESC))[1] AS unit_id, (array_agg(day ORDER BY id DESC))[1] AS day
                 FROM point_entries WHERE EXISTS (SELECT 1 FROM narrowed) AND kind = 'award' AND member_id > $1 AND member_id <= $2
                   AND rule_code IN (SELECT rule_code FROM narrowed)
                 GROUP BY member_id, period, rule_code) e
             JOIN narrowed n USING (unit_id, rule_code)
             WHERE n.since <= e.day AND (n.until IS NULL OR n.until > e.day) AND e.points > n.cap_month"
        ),
    },
    Check {
        // The least value of all units above binds. Three cases prove nothing and are left out: a value set after the
        // last award, the value it replaced, which is not kept, and the day on which a cell moves, when those of two
        // places hold.
        proves: "no member has more points a day than one can earn alone",
        scope: VerifyScope::Members,
        query: "SELECT format('member %s, %s: %s points earned alone over a cap of %s', e.member_id, e.day, e.points, cap.value) AS line
                FROM (SELECT e.member_id, e.day, sum(e.points) AS points, (array_agg(e.unit_id ORDER BY e.id DESC))[1] AS unit_id,
                        (array_agg(e.id ORDER BY e.id DESC))[1] AS id
                    FROM point_entries e JOIN point_rules r ON r.code = e.rule_code AND r.version = e.rule_version
                    WHERE r.self_service AND e.kind = 'award' AND e.member_id > $1 AND e.member_id <= $2
                    GROUP BY e.member_id, e.day
                    HAVING sum(e.points) > (SELECT min(value) FROM point_parameters WHERE name = 'self_service_day_cap')) e
                CROSS JOIN LATERAL (
                    SELECT min(p.value) AS value FROM point_parameters p
                    LEFT JOIN unit_tree t ON t.ancestor_id = p.unit_id AND t.descendant_id = e.unit_id
                      AND t.valid_from < e.day AND (t.valid_to IS NULL OR t.valid_to > e.day)
                    WHERE p.name = 'self_service_day_cap' AND (p.unit_id IS NULL OR t.depth IS NOT NULL)
                      AND p.valid_from <= e.day AND (p.valid_to IS NULL OR p.valid_to > e.day) AND p.id < e.id) cap
                WHERE e.points > cap.value AND NOT EXISTS (SELECT 1 FROM unit_tree t
                    WHERE t.descendant_id = e.unit_id AND e.day IN (t.valid_from, t.valid_to))",
    },
];
