//! Corrections as decisions of two officers: proposed with reason and evidence, approved by a second one.

use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Problem, Text, text};
use crate::kernel::security::access::Permission;
use crate::kernel::security::audit;
use crate::kernel::security::auth::Principal;
use crate::organisation::decisions::{self, Decision, DecisionKind, DecisionState, NewDecision};

use super::approve::approve;
use super::model::AdjustmentState;
use super::store::{self, OpenAdjustment};

/// The kind of decision that corrects points.
pub struct Adjustment;

/// See [`Adjustment`].
pub static ADJUSTMENT: Adjustment = Adjustment;

/// Puts a proposal before a second officer: never the member.
pub async fn await_second(
    conn: &mut Conn,
    id: Uuid,
    unit_id: Uuid,
    by: &Principal,
    request_id: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let open = store::read(conn, id).await?;
    let proposal = NewDecision {
        kind: &ADJUSTMENT,
        object_id: id,
        unit_id,
        subject_id: Some(open.member_id),
        at_stake: vec![open.member_id],
        reason: &open.reason,
        payload: json!({"period": Period::containing(open.period), "points": open.points, "reverses": open.reverses}),
    };
    decisions::propose(conn, proposal, by, request_id, now).await?;
    Ok(())
}

impl DecisionKind for Adjustment {
    fn code(&self) -> &'static str {
        "point_adjustment"
    }

    fn title(&self) -> Text {
        text("Điều chỉnh điểm", "An adjustment of points")
    }

    fn proposing(&self) -> Permission {
        Permission::ProposeAdjustments
    }

    fn deciding(&self) -> Permission {
        Permission::DecideAdjustments
    }

    /// A correction may need papers of another cell.
    fn valid_days(&self) -> u64 {
        90
    }

    fn apply<'a>(
        &'a self,
        conn: &'a mut Conn,
        decision: &'a Decision,
        request_id: Option<&'a str>,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<(), Problem>> {
        Box::pin(async move {
            let by = decision.decided_by.ok_or_else(|| Problem::internal("a correction that nobody approved"))?;
            let open = approve(conn, decision.object_id, by, now).await?;
            record(conn, decision, &open, ("adjustment.approved", request_id), now).await
        })
    }

    fn close<'a>(
        &'a self,
        conn: &'a mut Conn,
        decision: &'a Decision,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<(), Problem>> {
        Box::pin(async move {
            let open = store::lock_proposed(conn, decision.object_id).await?;
            let (state, action) = if decision.state == DecisionState::Declined.as_str() {
                (AdjustmentState::Refused, "adjustment.refused")
            } else if decision.state == DecisionState::Withdrawn.as_str() {
                (AdjustmentState::Withdrawn, "adjustment.withdrawn")
            } else {
                (AdjustmentState::Expired, "adjustment.expired")
            };
            let reason = decision.decision_reason.as_deref();
            let ended = store::AdjustmentDecision { state, by: decision.decided_by, reason, entry_id: None };
            store::decide(conn, decision.object_id, &ended, now).await?;
            record(conn, decision, &open, (action, None), now).await
        })
    }
}

async fn record(
    conn: &mut Conn,
    decision: &Decision,
    open: &OpenAdjustment,
    (action, request_id): (&'static str, Option<&str>),
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let event = audit::AuditEvent {
        client_id: None,
        actor_id: decision.decided_by,
        action,
        object_kind: "point_adjustment",
        object_id: decision.object_id,
        unit_id: Some(decision.unit_id),
        member_id: Some(open.member_id),
        request_id,
        details: json!({"period": Period::containing(open.period), "points": open.points}),
    };
    audit::record(conn, event, now).await
}
