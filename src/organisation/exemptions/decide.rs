//! Exemptions and excuses by two officers: what one proposes is written when a second one confirms it.

use chrono::{DateTime, NaiveDate, Utc};
use futures_util::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Problem, Text, text};
use crate::kernel::security::access::Permission;
use crate::kernel::security::audit;
use crate::kernel::security::auth::Principal;
use crate::organisation::decisions::{self, Decision, DecisionKind, NewDecision};
use crate::organisation::memberships::lock_member;

use super::store::{self, Exemption};

/// The kind of decision that exempts or excuses a member.
pub struct ExemptionStart;

/// See [`ExemptionStart`].
pub static EXEMPTION: ExemptionStart = ExemptionStart;

/// The kind of decision that ends an exemption earlier than it was to.
pub struct ExemptionEnd;

/// See [`ExemptionEnd`].
pub static EXEMPTION_END: ExemptionEnd = ExemptionEnd;

/// What the decision carries of an exemption, beside its id, its member and its reason.
#[derive(Debug, Serialize, Deserialize)]
struct ExemptionTerms {
    kind: String,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
}

/// What the decision carries of an end, beside the exemption's id and its member.
#[derive(Debug, Serialize, Deserialize)]
struct EndTerms {
    kind: String,
    valid_to: NaiveDate,
}

/// Who exempts, and in which request.
#[derive(Clone, Copy)]
pub struct Proposer<'a> {
    pub officer: &'a Principal,
    pub request_id: Option<&'a str>,
}

/// Proposes an exemption of a member of the unit, whose row is locked. Returns the decision's id.
///
/// # Errors
/// As [`store::require_possible`]; 409 when one like it waits already.
pub async fn propose(
    conn: &mut Conn,
    new: &Exemption,
    unit_id: Uuid,
    by: Proposer<'_>,
    now: DateTime<Utc>,
) -> Result<Uuid, Problem> {
    store::require_possible(conn, new, None).await?;
    store::require_none_waiting(conn, new, EXEMPTION.code(), now).await?;
    let terms = ExemptionTerms { kind: new.kind.clone(), valid_from: new.valid_from, valid_to: new.valid_to };
    let proposal = NewDecision {
        kind: &EXEMPTION,
        object_id: new.id,
        unit_id,
        subject_id: Some(new.member_id),
        at_stake: vec![new.member_id],
        reason: &new.reason,
        payload: serde_json::to_value(terms).map_err(Problem::internal)?,
    };
    decisions::propose(conn, proposal, by.officer, by.request_id, now).await
}

/// Proposes to end an exemption of a member whose row is locked. Returns the decision's id.
///
/// # Errors
/// As [`store::require_end`]; 409 when an end of it waits already.
pub async fn propose_end(
    conn: &mut Conn,
    (exemption_id, valid_to): (Uuid, NaiveDate),
    unit_id: Uuid,
    by: Proposer<'_>,
    now: DateTime<Utc>,
) -> Result<Uuid, Problem> {
    let exemption = store::require_end(conn, exemption_id, valid_to, None).await?;
    let terms = EndTerms { kind: exemption.kind, valid_to };
    let proposal = NewDecision {
        kind: &EXEMPTION_END,
        object_id: exemption_id,
        unit_id,
        subject_id: Some(exemption.member_id),
        at_stake: vec![exemption.member_id],
        reason: "",
        payload: serde_json::to_value(terms).map_err(Problem::internal)?,
    };
    decisions::propose(conn, proposal, by.officer, by.request_id, now).await
}

impl DecisionKind for ExemptionStart {
    fn code(&self) -> &'static str {
        "exemption"
    }

    fn title(&self) -> Text {
        text("Miễn sinh hoạt", "An exemption or excuse")
    }

    fn proposing(&self) -> Permission {
        Permission::ManageMembers
    }

    fn deciding(&self) -> Permission {
        Permission::DecideExemptions
    }

    /// A sheet that marks members as exempt is imported at any time; those who exempt by hand are asked by their route.
    fn rests_proposer(&self) -> bool {
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
            let terms: ExemptionTerms = serde_json::from_value(decision.payload.clone()).map_err(Problem::internal)?;
            let new = Exemption {
                id: decision.object_id,
                member_id: subject(decision)?,
                kind: terms.kind,
                valid_from: terms.valid_from,
                valid_to: terms.valid_to,
                reason: decision.reason.clone(),
                created_at: now,
            };
            lock_member(conn, new.member_id).await?;
            // What was proposed while its months were open holds in their corrected figures; what was signed stays.
            store::require_possible(conn, &new, Some(decision.proposed_at)).await?;
            store::insert(conn, &new, decision.proposed_by).await?;
            let details = json!({"kind": new.kind, "valid_from": new.valid_from, "valid_to": new.valid_to});
            record(conn, decision, ("exemption.recorded", request_id), details, now).await
        })
    }
}

impl DecisionKind for ExemptionEnd {
    fn code(&self) -> &'static str {
        "exemption_end"
    }

    fn title(&self) -> Text {
        text("Kết thúc việc miễn sinh hoạt", "The end of an exemption or excuse")
    }

    fn proposing(&self) -> Permission {
        Permission::ManageMembers
    }

    fn deciding(&self) -> Permission {
        Permission::DecideExemptions
    }

    fn apply<'a>(
        &'a self,
        conn: &'a mut Conn,
        decision: &'a Decision,
        request_id: Option<&'a str>,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<(), Problem>> {
        Box::pin(async move {
            let terms: EndTerms = serde_json::from_value(decision.payload.clone()).map_err(Problem::internal)?;
            lock_member(conn, subject(decision)?).await?;
            store::require_end(conn, decision.object_id, terms.valid_to, Some(decision.proposed_at)).await?;
            store::end(conn, decision.object_id, terms.valid_to).await?;
            let details = json!({"valid_to": terms.valid_to});
            record(conn, decision, ("exemption.ended", request_id), details, now).await
        })
    }
}

fn subject(decision: &Decision) -> Result<Uuid, Problem> {
    decision.subject_id.ok_or_else(|| Problem::internal("an exemption of nobody"))
}

async fn record(
    conn: &mut Conn,
    decision: &Decision,
    (action, request_id): (&'static str, Option<&str>),
    details: serde_json::Value,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let event = audit::AuditEvent {
        client_id: None,
        actor_id: decision.decided_by,
        action,
        object_kind: "exemption",
        object_id: decision.object_id,
        unit_id: Some(decision.unit_id),
        member_id: decision.subject_id,
        request_id,
        details,
    };
    audit::record(conn, event, now).await
}
