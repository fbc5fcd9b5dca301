//! Lists as decisions of two officers: the recorder reports what was seen, a second officer confirms it.

use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Problem, Text, text};
use crate::kernel::security::access::Permission;
use crate::kernel::security::audit;
use crate::kernel::security::auth::Principal;
use crate::organisation::decisions::{self, Decision, DecisionKind, DecisionState, NewDecision};

use super::confirm::award;
use super::model::AttestationState;
use super::record::NewAttestation;
use super::store;

/// The kind of decision that confirms a list.
pub struct AttestationConfirmation;

/// See [`AttestationConfirmation`].
pub static ATTESTATION: AttestationConfirmation = AttestationConfirmation;

/// Puts a recorded list before a second officer: nobody who is on it.
pub async fn propose(
    conn: &mut Conn,
    id: Uuid,
    new: &NewAttestation<'_>,
    by: &Principal,
    request_id: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let proposal = NewDecision {
        kind: &ATTESTATION,
        object_id: id,
        unit_id: new.unit_id,
        subject_id: None,
        at_stake: new.member_ids.to_vec(),
        reason: new.note.unwrap_or_default(),
        payload: json!({"kind": new.kind, "day": new.day, "subject": new.subject, "members": new.member_ids.len()}),
    };
    decisions::propose(conn, proposal, by, request_id, now).await?;
    Ok(())
}

impl DecisionKind for AttestationConfirmation {
    fn code(&self) -> &'static str {
        "attestation"
    }

    fn title(&self) -> Text {
        text("Danh sách ghi nhận", "An attestation")
    }

    fn proposing(&self) -> Permission {
        Permission::RecordAttestations
    }

    fn deciding(&self) -> Permission {
        Permission::ConfirmAttestations
    }

    /// The days of two months can be attested; how long each waits is a rule of the list itself.
    fn valid_days(&self) -> u64 {
        75
    }

    /// A report of what was seen is no decision.
    fn rests_proposer(&self) -> bool {
        false
    }

    /// What was seen stays seen when the recorder's office has ended, or the cell with it.
    fn needs_proposer_still(&self) -> bool {
        false
    }

    fn apply<'a>(
        &'a self,
        conn: &'a mut Conn,
        decision: &'a Decision,
        request_id: Option<&'a str>,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<(), Problem>> {
        Box::pin(async move {
            let by = decision.decided_by.ok_or_else(|| Problem::internal("a list that nobody confirmed"))?;
            let points = award(conn, decision.object_id, by, now).await?;
            record(conn, decision, ("attestation.confirmed", request_id), json!({"points": points}), now).await
        })
    }

    fn close<'a>(
        &'a self,
        conn: &'a mut Conn,
        decision: &'a Decision,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<(), Problem>> {
        Box::pin(async move {
            let open = store::lock(conn, decision.object_id).await?;
            store::require_recorded(&open)?;
            let (state, action) = if decision.state == DecisionState::Declined.as_str() {
                (AttestationState::Declined, "attestation.declined")
            } else if decision.state == DecisionState::Withdrawn.as_str() {
                (AttestationState::Withdrawn, "attestation.withdrawn")
            } else {
                (AttestationState::Expired, "attestation.expired")
            };
            let ended = store::AttestationDecision {
                state,
                by: decision.decided_by,
                reason: decision.decision_reason.as_deref(),
            };
            store::decide(conn, open.id, &ended, now).await?;
            record(conn, decision, (action, None), json!({}), now).await
        })
    }
}

async fn record(
    conn: &mut Conn,
    decision: &Decision,
    (action, request_id): (&'static str, Option<&str>),
    details: Value,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let event = audit::AuditEvent {
        client_id: None,
        actor_id: decision.decided_by,
        action,
        object_kind: "attestation",
        object_id: decision.object_id,
        unit_id: Some(decision.unit_id),
        member_id: None,
        request_id,
        details,
    };
    audit::record(conn, event, now).await
}
