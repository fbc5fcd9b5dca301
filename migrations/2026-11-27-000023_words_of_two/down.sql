ALTER TABLE exemptions DROP COLUMN decided_alone;
DELETE FROM decisions WHERE kind IN ('attestation', 'point_adjustment', 'exemption', 'exemption_end', 'point_parameter');
DELETE FROM attestation_members WHERE attestation_id IN (SELECT id FROM attestations WHERE state = 'expired');
DELETE FROM attestations WHERE state = 'expired';
DELETE FROM point_adjustments WHERE state = 'expired';
ALTER TABLE attestations DROP CONSTRAINT attestations_state_check, DROP CONSTRAINT attestations_check;
ALTER TABLE attestations ADD CONSTRAINT attestations_state_check CHECK (state IN ('recorded', 'confirmed', 'declined', 'withdrawn')),
    ADD CONSTRAINT attestations_check CHECK ((state = 'recorded') = (decided_by IS NULL));
ALTER TABLE point_adjustments DROP CONSTRAINT point_adjustments_state_check, DROP CONSTRAINT point_adjustments_check2;
ALTER TABLE point_adjustments ADD CONSTRAINT point_adjustments_state_check CHECK (state IN ('proposed', 'approved', 'refused', 'withdrawn')),
    ADD CONSTRAINT point_adjustments_check2 CHECK ((state = 'proposed') = (decided_by IS NULL));
