//! Recomputes from the ledger what is derived from it, and names every difference.

use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;

use crate::kernel::db::Conn;
use crate::kernel::problem::Problem;

/// Differences shown of one check; a damaged table would otherwise fill the screen.
const MOST: usize = 100;

/// One check: what it proves, and a query that yields a line for every difference.
struct Check {
    proves: &'static str,
    query: &'static str,
}

const CHECKS: &[Check] = &[
    Check {
        proves: "each month's total is the sum of its entries",
        query: "SELECT format('member %s, month %s: the ledger says %s, the total %s', member_id, to_char(period, 'YYYY-MM'),
                    coalesce(e.points, 0), coalesce(m.points, 0)) AS line
                FROM (SELECT member_id, period, sum(points) AS points FROM point_entries GROUP BY member_id, period) e
                FULL JOIN member_months m USING (member_id, period)
                WHERE coalesce(e.points, 0) <> coalesce(m.points, 0)",
    },
    Check {
        proves: "each month's counters are the sums of its awards by rule",
        query: "SELECT format('member %s, month %s: the ledger says %s, the counters %s', member_id, to_char(period, 'YYYY-MM'),
                    coalesce(e.rules, '{}'), coalesce(m.counters -> 'rules', '{}')) AS line
                FROM (SELECT member_id, period, jsonb_object_agg(rule_code, points) AS rules
                      FROM (SELECT member_id, period, rule_code, sum(points) AS points FROM point_entries
                            WHERE kind = 'award' GROUP BY member_id, period, rule_code) r GROUP BY member_id, period) e
                FULL JOIN member_months m USING (member_id, period)
                WHERE coalesce(e.rules, '{}') <> coalesce(m.counters -> 'rules', '{}')",
    },
    Check {
        proves: "no member has more points a day from a rule than its cap",
        query: "SELECT format('member %s, %s, rule %s: %s points over a cap of %s', e.member_id, e.day, e.rule_code, sum(e.points), r.cap_day) AS line
                FROM point_entries e JOIN point_rules r ON r.code = e.rule_code AND r.version = e.rule_version
                WHERE e.kind = 'award' AND r.cap_day IS NOT NULL
                GROUP BY e.member_id, e.day, e.rule_code, r.cap_day HAVING sum(e.points) > r.cap_day",
    },
    Check {
        proves: "no member has more points a month from a rule than its cap",
        query: "SELECT format('member %s, month %s, rule %s: %s points over a cap of %s', e.member_id, to_char(e.period, 'YYYY-MM'),
                    e.rule_code, sum(e.points), r.cap_month) AS line
                FROM point_entries e JOIN point_rules r ON r.code = e.rule_code AND r.version = e.rule_version
                WHERE e.kind = 'award' AND r.cap_month IS NOT NULL
                GROUP BY e.member_id, e.period, e.rule_code, r.cap_month HAVING sum(e.points) > r.cap_month",
    },
    Check {
        // Whoever moved that day earned the first part of it in the cell they left.
        proves: "each entry names a cell its member belonged to that day",
        query: "SELECT format('entry %s of member %s: not a member of %s on %s', e.id, e.member_id, e.unit_id, e.day) AS line
                FROM point_entries e WHERE NOT EXISTS (SELECT 1 FROM memberships m
                    WHERE m.member_id = e.member_id AND m.unit_id = e.unit_id
                      AND m.valid_from <= e.day AND (m.valid_to IS NULL OR m.valid_to >= e.day))",
    },
    Check {
        proves: "the tree of units is the closure of its links",
        // On every day there was, and is to be: links and tree are compared as spans of time.
        query: "WITH RECURSIVE up AS (
                    SELECT unit_id AS ancestor_id, unit_id AS descendant_id, parent_id, 0 AS depth,
                        daterange(valid_from, valid_to) AS span FROM unit_links
                    UNION ALL
                    SELECT l.unit_id, up.descendant_id, l.parent_id, up.depth + 1, up.span * daterange(l.valid_from, l.valid_to)
                    FROM up JOIN unit_links l ON l.unit_id = up.parent_id AND daterange(l.valid_from, l.valid_to) && up.span)
                SELECT format('unit %s under %s: the links and the tree differ', descendant_id, ancestor_id) AS line
                FROM (SELECT ancestor_id, descendant_id, depth, range_agg(span) AS spans FROM up GROUP BY 1, 2, 3) u
                FULL JOIN (SELECT ancestor_id, descendant_id, depth::int, range_agg(daterange(valid_from, valid_to)) AS spans
                           FROM unit_tree GROUP BY 1, 2, 3) t
                    USING (ancestor_id, descendant_id, depth)
                WHERE u.spans IS DISTINCT FROM t.spans",
    },
];

#[derive(QueryableByName)]
struct Difference {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Runs every check, telling `report` what it proves and what differs. Returns the number of differences shown.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn verify(conn: &mut Conn, mut report: impl FnMut(&str, &[String])) -> Result<usize, Problem> {
    let mut found = 0;
    for check in CHECKS {
        let rows: Vec<Difference> = diesel::sql_query(format!("{} LIMIT {MOST}", check.query)).load(conn).await?;
        let lines: Vec<String> = rows.into_iter().map(|row| row.line).collect();
        found += lines.len();
        report(check.proves, &lines);
    }
    Ok(found)
}
