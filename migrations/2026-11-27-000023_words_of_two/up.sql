-- Lists and corrections become decisions of two officers: what waits is put before the second one like everything else.
ALTER TABLE attestations DROP CONSTRAINT attestations_state_check, DROP CONSTRAINT attestations_check;
ALTER TABLE attestations ADD CONSTRAINT attestations_state_check
        CHECK (state IN ('recorded', 'confirmed', 'declined', 'withdrawn', 'expired')),
    ADD CONSTRAINT attestations_check CHECK ((state IN ('recorded', 'expired')) = (decided_by IS NULL));
ALTER TABLE point_adjustments DROP CONSTRAINT point_adjustments_state_check, DROP CONSTRAINT point_adjustments_check2;
ALTER TABLE point_adjustments ADD CONSTRAINT point_adjustments_state_check
        CHECK (state IN ('proposed', 'approved', 'refused', 'withdrawn', 'expired')),
    ADD CONSTRAINT point_adjustments_check2 CHECK ((state IN ('proposed', 'expired')) = (decided_by IS NULL));

INSERT INTO decisions (id, kind, object_id, unit_id, at_stake, reason, payload, proposed_by, proposed_at, expires_at, state)
SELECT a.id, 'attestation', a.id, a.unit_id, ARRAY(SELECT m.member_id FROM attestation_members m WHERE m.attestation_id = a.id),
    coalesce(a.note, ''), jsonb_build_object('kind', a.kind, 'day', a.day, 'subject', a.subject,
        'members', (SELECT count(*) FROM attestation_members m WHERE m.attestation_id = a.id)),
    a.recorded_by, a.recorded_at, a.recorded_at + interval '75 days', 'waiting'
FROM attestations a WHERE a.state = 'recorded';
INSERT INTO decisions (id, kind, object_id, unit_id, subject_id, at_stake, reason, payload, proposed_by, proposed_at, expires_at, state)
SELECT a.id, 'point_adjustment', a.id, m.unit_id, a.member_id, ARRAY[a.member_id], a.reason,
    jsonb_build_object('period', to_char(a.period, 'YYYY-MM'), 'points', a.points, 'reverses', a.reverses),
    a.proposed_by, a.proposed_at, greatest(a.proposed_at + interval '90 days', now() + interval '30 days'), 'waiting'
FROM point_adjustments a CROSS JOIN LATERAL (SELECT unit_id FROM memberships WHERE member_id = a.member_id
    ORDER BY valid_from DESC LIMIT 1) m
WHERE a.state = 'proposed';

-- What officers recorded before exemptions took two of them; the operator's and the demo's have no recorder.
ALTER TABLE exemptions ADD COLUMN decided_alone boolean NOT NULL DEFAULT false;
ALTER TABLE exemptions DISABLE TRIGGER USER;
UPDATE exemptions SET decided_alone = true WHERE recorded_by IS NOT NULL;
ALTER TABLE exemptions ENABLE TRIGGER USER;
