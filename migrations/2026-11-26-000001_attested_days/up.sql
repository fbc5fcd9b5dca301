-- Others may vouch for any day of a month, in any order, so counters keep all days of what they vouch for ("attested"), apart from
-- the last few days of what members do by themselves ("days"). Points and ranks stay as they are, so no projection follows.
ALTER TABLE member_months DISABLE TRIGGER projected_update;
WITH awards AS (
    SELECT e.member_id, e.period, e.day, e.rule_code, coalesce(r.self_service, false) AS own, sum(e.points) AS points
    FROM point_entries e LEFT JOIN point_rules r ON r.code = e.rule_code AND r.version = e.rule_version
    WHERE e.kind = 'award' GROUP BY e.member_id, e.period, e.day, e.rule_code, own),
attested AS (
    SELECT member_id, period, jsonb_object_agg(day, rules) AS attested FROM (
        SELECT member_id, period, day, jsonb_object_agg(rule_code, points) AS rules
        FROM awards WHERE NOT own GROUP BY member_id, period, day) a GROUP BY member_id, period),
days AS (
    SELECT member_id, period, jsonb_object_agg(day, counters) AS days FROM (
        SELECT member_id, period, day,
            jsonb_build_object('rules', jsonb_object_agg(rule_code, points), 'self_service', sum(points)) AS counters
        FROM awards WHERE own GROUP BY member_id, period, day) d GROUP BY member_id, period)
UPDATE member_months m SET counters =
    json_build_object('rules', m.counters -> 'rules', 'days', coalesce(d.days, '{}'), 'attested', a.attested)
FROM attested a LEFT JOIN days d USING (member_id, period)
WHERE m.member_id = a.member_id AND m.period = a.period;
ALTER TABLE member_months ENABLE TRIGGER projected_update;
