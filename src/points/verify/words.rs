//! The checks of what takes two officers: exemptions, lists and corrections stand as it was decided.

use super::{Check, VerifyScope};

pub const WORDS: &[Check] = &[
    Check {
        proves: "each exemption that an officer recorded was confirmed by a second officer",
        scope: VerifyScope::Everything,
        query: "SELECT format('exemption %s of member %s: no confirmed decision says so', x.id, x.member_id) AS line
                FROM exemptions x WHERE x.recorded_by IS NOT NULL AND NOT x.decided_alone
                    AND NOT EXISTS (SELECT 1 FROM decisions d WHERE d.object_id = x.id AND d.kind = 'exemption'
                        AND d.state = 'confirmed' AND (d.subject_id, d.proposed_by) = (x.member_id, x.recorded_by)
                        AND (d.payload ->> 'kind', d.payload ->> 'valid_from') = (x.kind, x.valid_from::text))",
    },
    Check {
        proves: "each list and each correction stands as it was decided",
        scope: VerifyScope::Everything,
        // What was decided before there were decisions has none.
        query: "SELECT format('attestation %s: %s, and its decision %s', a.id, a.state, d.state) AS line
                FROM attestations a JOIN decisions d ON d.object_id = a.id AND d.kind = 'attestation'
                WHERE (CASE a.state WHEN 'recorded' THEN 'waiting' ELSE a.state END, a.decided_by)
                    IS DISTINCT FROM (d.state, d.decided_by)
                UNION ALL
                SELECT format('adjustment %s: %s, and its decision %s', a.id, a.state, d.state)
                FROM point_adjustments a JOIN decisions d ON d.object_id = a.id AND d.kind = 'point_adjustment'
                WHERE (CASE a.state WHEN 'proposed' THEN 'waiting' WHEN 'approved' THEN 'confirmed' WHEN 'refused' THEN 'declined'
                    ELSE a.state END, a.decided_by) IS DISTINCT FROM (d.state, d.decided_by)",
    },
];
