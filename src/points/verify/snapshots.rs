//! Checks of snapshots of closed months: what was hashed, listed and signed, and the ledger.
//!
//! Rows and manifests are compared as text in their canonical form, so that one which is no JSON any more is named as well.

use super::{Check, VerifyScope};

pub const SNAPSHOTS: &[Check] = &[
    Check {
        proves: "each closed row and manifest has the hash that was taken of it",
        scope: VerifyScope::Everything,
        query:
            "SELECT format('closing %s, row %s: not what was hashed', closing_id, position) AS line FROM closing_rows
                WHERE hash <> sha256(convert_to(content, 'UTF8'))
                UNION ALL
                SELECT format('closing %s: the manifest is not what was hashed', id) FROM closings
                WHERE manifest_hash <> sha256(convert_to(manifest, 'UTF8'))",
    },
    Check {
        proves: "each closing has the rows that its manifest lists, no more and no fewer",
        scope: VerifyScope::Everything,
        query: r#"SELECT format('closing %s, row %s: %s', c.id, l.position, CASE WHEN l.found IS NULL THEN 'missing'
                    WHEN l.listed IS NULL THEN 'not in the manifest' ELSE 'not the row that the manifest lists' END) AS line
                FROM closings c CROSS JOIN LATERAL (
                    SELECT position, m.hash AS listed, r.hash AS found
                    FROM unnest(string_to_array(replace(substring(c.manifest FROM '"row_hashes":\[([^]]*)\]'), '"', ''), ','))
                        WITH ORDINALITY AS m (hash, position)
                    FULL JOIN (SELECT position::bigint, encode(hash, 'hex') AS hash FROM closing_rows WHERE closing_id = c.id) r
                        USING (position)) l
                WHERE l.listed IS DISTINCT FROM l.found"#,
    },
    Check {
        proves: "each closing and row has the figures, and the closing before it, that its text says",
        scope: VerifyScope::Everything,
        query: r#"SELECT format('closing %s, row %s: place, member or points are not those of its text', closing_id, position) AS line
                FROM closing_rows
                WHERE NOT starts_with(content, format('{"position":%s,"member_id":"%s",', position, member_id))
                   OR strpos(content, format('","points":%s,"threshold":', points)) = 0
                UNION ALL
                SELECT format('closing %s: its figures are not those of the manifest', c.id)
                FROM closings c LEFT JOIN closings f ON f.id = c.former_id
                WHERE NOT starts_with(c.manifest, format('{"format":"sotay/closing/1","closing_id":"%s","unit_id":"%s",', c.id, c.unit_id))
                   OR strpos(c.manifest, format('","period":"%s","generation":%s,"former":%s,"closed_at":"%s', to_char(c.period, 'YYYY-MM'),
                       c.generation, CASE WHEN f.id IS NULL THEN 'null' ELSE format('{"closing_id":"%s","manifest_hash":"%s"}', f.id,
                       encode(f.manifest_hash, 'hex')) END, to_char(c.closed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS'))) = 0
                   OR strpos(c.manifest, format('"threshold":%s,"members":%s,"counted":%s,"exempt":%s,"excused":%s,"met":%s,"row_hashes":[',
                       c.threshold, c.members, c.members - c.exempt - c.excused, c.exempt, c.excused, c.met)) = 0"#,
    },
    Check {
        proves: "each month of a member that was closed is marked as such, so that what comes later is late",
        scope: VerifyScope::Members,
        query: "SELECT format('member %s, month %s: closed at %s, and not marked', r.member_id, to_char(c.period, 'YYYY-MM'), c.closed_at) AS line
                FROM closing_rows r JOIN closings c ON c.id = r.closing_id JOIN closing_states s ON s.closing_id = c.id
                LEFT JOIN member_months m ON m.member_id = r.member_id AND m.period = c.period
                WHERE r.member_id > $1 AND r.member_id <= $2 AND m.closed_at IS NULL",
    },
    Check {
        // Entries of a closed month are late, those of a reopened month are not. So a closing contains the entries that
        // are not late and came before it was reopened, and the late ones that came before the former closing was
        // reopened. A transaction that waited for a lock came a little later than its timestamp: the limit is drawn in
        // the middle of a time in which no such entry can have come, and a month that was open or closed for less than
        // a minute is not compared.
        proves: "each closed row is what the ledger said when the month was closed, in points and by rule",
        scope: VerifyScope::Members,
        query: r#"WITH closed AS (
                    SELECT r.closing_id, r.position, r.member_id, r.points, r.content, c.period,
                        before.reopened_at + (c.closed_at - before.reopened_at) / 2 AS late_until,
                        c.closed_at + (after.reopened_at - c.closed_at) / 2 AS until
                    FROM closing_rows r JOIN closings c ON c.id = r.closing_id
                    LEFT JOIN closing_reopenings before ON before.closing_id = c.former_id
                    LEFT JOIN closing_reopenings after ON after.closing_id = c.id
                    WHERE r.member_id > $1 AND r.member_id <= $2
                      AND coalesce(c.closed_at - before.reopened_at >= '1 minute', true)
                      AND coalesce(after.reopened_at - c.closed_at >= '1 minute', true)),
                earned AS (
                    SELECT c.closing_id, c.position, e.rule_code, sum(e.points) AS points
                    FROM closed c JOIN point_entries e ON e.member_id = c.member_id AND e.period = c.period
                    WHERE e.member_id > $1 AND e.member_id <= $2
                      AND CASE WHEN e.late THEN e.occurred_at < c.late_until ELSE coalesce(e.occurred_at < c.until, true) END
                    GROUP BY c.closing_id, c.position, e.rule_code),
                said AS (
                    SELECT closing_id, position, sum(points) AS points,
                        string_agg(format('{"rule":"%s","points":%s}', rule_code, points), ',' ORDER BY rule_code COLLATE "C") AS by_rule
                    FROM earned GROUP BY closing_id, position)
                SELECT format('member %s, month %s: the ledger says %s by %s, the closing %s by %s', c.member_id,
                    to_char(c.period, 'YYYY-MM'), coalesce(s.points, 0), l.by_rule, c.points, substring(c.content FROM '"by_rule":(.*)}$')) AS line
                FROM closed c LEFT JOIN said s USING (closing_id, position)
                CROSS JOIN LATERAL (SELECT format('[%s]', s.by_rule) AS by_rule) l
                WHERE c.points <> coalesce(s.points, 0)
                   OR right(c.content, length(l.by_rule) + 12) <> format(',"by_rule":%s}', l.by_rule)"#,
    },
];
