DROP TABLE point_appeals, point_adjustments, attestation_members, attestations;
