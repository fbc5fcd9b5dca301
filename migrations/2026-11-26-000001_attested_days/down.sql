ALTER TABLE member_months DISABLE TRIGGER projected_update;
WITH awards AS (
    SELECT e.member_id, e.period, e.day, e.rule_code, sum(e.points) AS points,
        coalesce(sum(e.points) FILTER (WHERE r.self_service), 0) AS own
    FROM point_entries e LEFT JOIN point_rules r ON r.code = e.rule_code AND r.version = e.rule_version
    WHERE e.kind = 'award' GROUP BY e.member_id, e.period, e.day, e.rule_code),
days AS (
    SELECT member_id, period, jsonb_object_agg(day, counters) AS days FROM (
        SELECT member_id, period, day,
            jsonb_build_object('rules', jsonb_object_agg(rule_code, points), 'self_service', sum(own)) AS counters
        FROM awards GROUP BY member_id, period, day) d GROUP BY member_id, period)
UPDATE member_months m SET counters = json_build_object('rules', m.counters -> 'rules', 'days', d.days)
FROM days d WHERE m.member_id = d.member_id AND m.period = d.period AND m.counters::jsonb ? 'attested';
ALTER TABLE member_months ENABLE TRIGGER projected_update;
