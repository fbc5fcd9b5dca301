//! The checks of the ledger, of what officers decided, and of the tree of units.

use super::{Check, VerifyScope};

/// Of the ledger, the totals and the counters.
pub const LEDGER: &[Check] = &[
    Check {
        proves: "each month's total is the sum of its entries",
        scope: VerifyScope::Members,
        query: "SELECT format('member %s, month %s: the ledger says %s, the total %s', member_id, to_char(period, 'YYYY-MM'),
                    coalesce(e.points, 0), coalesce(m.points, 0)) AS line
                FROM (SELECT member_id, period, sum(points) AS points FROM point_entries
                      WHERE member_id > $1 AND member_id <= $2 GROUP BY member_id, period) e
                FULL JOIN (SELECT * FROM member_months WHERE member_id > $1 AND member_id <= $2) m USING (member_id, period)
                WHERE coalesce(e.points, 0) <> coalesce(m.points, 0)",
    },
    Check {
        proves: "each month's counters are the sums of its awards by rule",
        scope: VerifyScope::Members,
        query: "SELECT format('member %s, month %s: the ledger says %s, the counters %s', member_id, to_char(period, 'YYYY-MM'),
                    coalesce(e.rules, '{}'), coalesce(m.counters::jsonb -> 'rules', '{}')) AS line
                FROM (SELECT member_id, period, jsonb_object_agg(rule_code, points) AS rules
                      FROM (SELECT member_id, period, rule_code, sum(points) AS points FROM point_entries
                            WHERE kind = 'award' AND member_id > $1 AND member_id <= $2 GROUP BY member_id, period, rule_code) r GROUP BY member_id, period) e
                FULL JOIN (SELECT * FROM member_months WHERE member_id > $1 AND member_id <= $2) m USING (member_id, period)
                WHERE coalesce(e.rules, '{}') <> coalesce(m.counters::jsonb -> 'rules', '{}')",
    },
    Check {
        // Self-service awards never count for a day before those kept.
        proves: "each day's counters are the sums of its self-service awards by rule, and the last day is there",
        scope: VerifyScope::Members,
        query: "SELECT format('member %s, month %s: the ledger says %s, the counters of days %s', m.member_id,
                    to_char(m.period, 'YYYY-MM'), coalesce(e.days, '{}'), coalesce(m.counters::jsonb -> 'days', '{}')) AS line
                FROM member_months m LEFT JOIN (
                    SELECT member_id, period, max(day)::text AS last,
                        jsonb_object_agg(day, jsonb_build_object('rules', rules, 'self_service', own)) AS days
                    FROM (SELECT member_id, period, day, jsonb_object_agg(rule_code, points) AS rules, sum(points) AS own FROM (
                            SELECT e.member_id, e.period, e.day, e.rule_code, sum(e.points) AS points
                            FROM point_entries e JOIN point_rules r ON r.code = e.rule_code AND r.version = e.rule_version
                            WHERE e.kind = 'award' AND r.self_service AND e.member_id > $1 AND e.member_id <= $2
                            GROUP BY e.member_id, e.period, e.day, e.rule_code) rules
                        GROUP BY member_id, period, day) days
                    GROUP BY member_id, period) e USING (member_id, period)
                WHERE m.member_id > $1 AND m.member_id <= $2 AND (
                    EXISTS (SELECT 1 FROM jsonb_each(coalesce(m.counters::jsonb -> 'days', '{}')) kept
                        WHERE kept.value IS DISTINCT FROM e.days -> kept.key)
                    OR (e.last IS NOT NULL AND NOT coalesce(m.counters::jsonb -> 'days' ? e.last, false)))",
    },
    Check {
        proves: "each day's counters of what others vouch for are the sums of those awards by rule",
        scope: VerifyScope::Members,
        query: "SELECT format('member %s, month %s: the ledger says %s, the counters %s', member_id, to_char(period, 'YYYY-MM'),
                    coalesce(e.attested, '{}'), coalesce(m.counters::jsonb -> 'attested', '{}')) AS line
                FROM (SELECT member_id, period, jsonb_object_agg(day, rules) AS attested
                      FROM (SELECT member_id, period, day, jsonb_object_agg(rule_code, points) AS rules
                            FROM (SELECT e.member_id, e.period, e.day, e.rule_code, sum(e.points) AS points
                                  FROM point_entries e LEFT JOIN point_rules r ON r.code = e.rule_code AND r.version = e.rule_version
                                  WHERE e.kind = 'award' AND r.self_service IS NOT TRUE AND e.member_id > $1 AND e.member_id <= $2
                                  GROUP BY e.member_id, e.period, e.day, e.rule_code) a
                            GROUP BY member_id, period, day) d GROUP BY member_id, period) e
                FULL JOIN (SELECT * FROM member_months WHERE member_id > $1 AND member_id <= $2) m USING (member_id, period)
                WHERE coalesce(e.attested, '{}') <> coalesce(m.counters::jsonb -> 'attested', '{}')",
    },
    Check {
        // A member who moved that day earned the first part of it in the cell they left.
        proves: "each entry names a cell its member belonged to that day",
        scope: VerifyScope::Members,
        query: "SELECT format('entry %s of member %s: not a member of %s on %s', e.id, e.member_id, e.unit_id, e.day) AS line
                FROM point_entries e WHERE e.member_id > $1 AND e.member_id <= $2 AND NOT EXISTS (SELECT 1 FROM memberships m
                    WHERE m.member_id = e.member_id AND m.unit_id = e.unit_id
                      AND m.valid_from <= e.day AND (m.valid_to IS NULL OR m.valid_to >= e.day))",
    },
];

/// Of what officers decided.
pub const DECISIONS: &[Check] = &[
    Check {
        proves: "each adjustment and reversal is what one officer proposed and another approved, neither of them the member",
        scope: VerifyScope::Everything,
        query: "SELECT format('entry %s of member %s: no approved proposal says so', e.id, e.member_id) AS line
                FROM point_entries e WHERE e.kind <> 'award' AND NOT EXISTS (SELECT 1 FROM point_adjustments a
                    WHERE a.id = e.decision_id AND a.entry_id = e.id AND a.member_id = e.member_id AND a.state = 'approved'
                      AND a.decided_by = e.attested_by AND a.decided_by <> a.proposed_by
                      AND e.member_id NOT IN (a.proposed_by, a.decided_by)
                      AND (a.points, a.period) = (e.points, e.period) AND a.reverses IS NOT DISTINCT FROM e.reverses)
                UNION ALL
                SELECT format('adjustment %s of member %s: approved, but not in the ledger', a.id, a.member_id) AS line
                FROM point_adjustments a WHERE a.state = 'approved' AND NOT EXISTS (SELECT 1 FROM point_entries e
                    WHERE e.member_id = a.member_id AND e.id = a.entry_id)",
    },
    Check {
        proves: "each decision was taken by two persons, neither of them at stake",
        scope: VerifyScope::Everything,
        query: "SELECT format('decision %s: decided by %s, who may not', d.id, d.decided_by) AS line
                FROM decisions d WHERE d.state IN ('confirmed', 'declined')
                    AND (d.decided_by = d.proposed_by OR d.decided_by = ANY (d.at_stake))",
    },
    Check {
        proves: "each role that decides, and each slip released for one who holds it, was confirmed by a second officer",
        scope: VerifyScope::Everything,
        query: "SELECT format('grant %s of %s: no confirmed decision says so', g.id, g.account_id) AS line
                FROM grants g WHERE g.granted_by IS NOT NULL AND g.needs_decision
                    AND g.role NOT IN ('member', 'minute_taker', 'propaganda_officer')
                    AND NOT EXISTS (SELECT 1 FROM decisions d WHERE d.object_id = g.id AND d.kind = 'role_grant'
                        AND d.state = 'confirmed' AND d.proposed_by = g.granted_by
                        AND (d.subject_id, d.unit_id, d.payload ->> 'role') = (g.account_id, g.unit_id, g.role))
                UNION ALL
                SELECT format('slip %s of %s: no confirmed decision says so', s.id, s.account_id)
                FROM activation_slips s WHERE s.decision_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM decisions d
                    WHERE d.id = s.decision_id AND d.object_id = s.id AND d.kind = 'role_holder_slip'
                        AND d.state = 'confirmed' AND (d.subject_id, d.proposed_by) = (s.account_id, s.issued_by))",
    },
    Check {
        proves: "each reversal takes back one whole entry of its member in the same month",
        scope: VerifyScope::Everything,
        query: "SELECT format('entry %s of member %s: not the reverse of entry %s', e.id, e.member_id, e.reverses) AS line
                FROM point_entries e LEFT JOIN point_entries o ON o.member_id = e.member_id AND o.id = e.reverses
                WHERE e.kind = 'reversal' AND (o.id IS NULL OR o.kind = 'reversal' OR o.points <> -e.points
                    OR o.period <> e.period OR e.object_id <> o.id::text)",
    },
];

/// Of the tree of units.
pub const TREE: &[Check] = &[
    Check {
        proves: "the tree of units is the closure of its links",
        scope: VerifyScope::Everything,
        // On every day, past and to come: links and tree are compared as spans of time.
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
