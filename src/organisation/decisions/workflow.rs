//! The life of a decision: proposed, then confirmed, declined, withdrawn or expired.

use chrono::{DateTime, Days, Utc};
use serde_json::json;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::extract::Scope;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::ids::new_id;
use crate::kernel::outbox;
use crate::kernel::security::audit;
use crate::kernel::security::auth::Principal;
use crate::organisation::{grants, units};

use super::model::{Decision, DecisionKind, DecisionRole, DecisionState, NewDecision, Registry};
use super::{credentials, eligibility, store};

/// Who decides.
#[derive(Clone, Copy)]
pub enum Decider<'a> {
    Officer(&'a Principal),
    /// The operator of the server, for the top of the system.
    CommandLine,
}

/// An act on a decision: the actor, the time, the request.
#[derive(Clone, Copy)]
pub struct Act<'a> {
    pub kinds: Registry,
    pub decider: Decider<'a>,
    pub request_id: Option<&'a str>,
    pub now: DateTime<Utc>,
}

impl<'a> Act<'a> {
    /// An act of the caller of a request.
    pub fn of<B, T>(scope: &'a Scope<B, T>, kinds: Registry) -> Self {
        Self {
            kinds,
            decider: Decider::Officer(&scope.caller),
            request_id: Some(&scope.context.request_id),
            now: scope.now,
        }
    }
}

/// Proposes something that a second officer has to confirm, and notifies the nearest officers who may. The proposal has
/// no effect before. Returns the decision's id.
///
/// # Errors
/// 403 while the proposer's decisions are suspended, or when the kind refuses the proposer; 409 when the same proposal
/// waits already.
pub async fn propose(
    conn: &mut Conn,
    new: NewDecision<'_>,
    by: &Principal,
    request_id: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Uuid, Problem> {
    let kind = new.kind;
    let decision = Decision {
        id: new_id(now),
        kind: kind.code().to_owned(),
        object_id: new.object_id,
        unit_id: new.unit_id,
        subject_id: new.subject_id,
        at_stake: new.at_stake,
        reason: new.reason.to_owned(),
        payload: new.payload,
        proposed_by: by.account_id,
        proposed_at: now,
        expires_at: now + Days::new(kind.valid_days()),
        state: DecisionState::Waiting.as_str().to_owned(),
        decided_by: None,
        decided_at: None,
        decision_reason: None,
    };
    if kind.rests_proposer() {
        credentials::require_rested(conn, by.account_id, now).await?;
    }
    kind.check(conn, &decision, (by, DecisionRole::Proposer), now).await?;
    store::insert(conn, &decision).await?;
    record(conn, &decision, ("decision.proposed", Some(by.account_id)), request_id, now).await?;
    tell_those_who_decide(conn, kind, &decision, now).await?;
    Ok(decision.id)
}

/// Notifies the nearest officers who may decide, once, however much waits in their unit.
async fn tell_those_who_decide(
    conn: &mut Conn,
    kind: &dyn DecisionKind,
    decision: &Decision,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let path = units::last_path(conn, decision.unit_id, day_of(now)).await?;
    let mut holders =
        grants::holders(conn, eligibility::deciding_path(kind, &path), kind.deciding(), day_of(now)).await?;
    let candidates: Vec<Uuid> = holders.iter().map(|holder| holder.account_id).collect();
    let unfit = credentials::unfit(conn, decision.proposed_by, &candidates, now).await?;
    holders.retain(|holder| !unfit.contains(&holder.account_id) && !decision.at_stake.contains(&holder.account_id));
    let details = json!({"unit_id": decision.unit_id});
    outbox::tell(conn, "decision_waiting", &grants::nearest(&holders), &details, now).await
}

/// Confirms a decision: the proposal is carried out in this transaction.
///
/// # Errors
/// 403 when the caller may not be the second officer, 404 for an unknown decision, 409 when it was decided or the
/// proposer may no longer propose it, 410 when it has expired; otherwise the problem that makes the proposal
/// impossible.
pub async fn confirm(conn: &mut Conn, id: Uuid, act: &Act<'_>) -> Result<Decision, Problem> {
    let mut decision = store::lock(conn, id).await?;
    let kind = act.kinds.find(&decision.kind)?;
    require_decider(conn, kind, &decision, act).await?;
    require_waiting(&decision, act.now)?;
    eligibility::require_proposer_still(conn, kind, &decision, act.now).await?;
    end(conn, &mut decision, DecisionState::Confirmed, act, None).await?;
    kind.apply(conn, &decision, act.request_id, act.now).await?;
    told(conn, &decision, "decision_confirmed", act.now).await?;
    Ok(decision)
}

/// Declines a decision, with a reason shown to the proposer.
///
/// # Errors
/// As [`confirm`].
pub async fn decline(conn: &mut Conn, id: Uuid, act: &Act<'_>, reason: &str) -> Result<Decision, Problem> {
    let mut decision = store::lock(conn, id).await?;
    let kind = act.kinds.find(&decision.kind)?;
    require_decider(conn, kind, &decision, act).await?;
    require_waiting(&decision, act.now)?;
    end(conn, &mut decision, DecisionState::Declined, act, Some(reason)).await?;
    kind.close(conn, &decision, act.now).await?;
    told(conn, &decision, "decision_declined", act.now).await?;
    Ok(decision)
}

/// Withdraws a proposal; only its proposer may.
///
/// # Errors
/// 403 for others, 409 when it was decided.
pub async fn withdraw(conn: &mut Conn, id: Uuid, act: &Act<'_>) -> Result<Decision, Problem> {
    let mut decision = store::lock(conn, id).await?;
    let kind = act.kinds.find(&decision.kind)?;
    if !matches!(act.decider, Decider::Officer(caller) if caller.account_id == decision.proposed_by) {
        return Err(Problem::with(
            Code::Forbidden,
            "Chỉ người đề nghị mới rút lại được.",
            "Only the proposer can withdraw it.",
        ));
    }
    require_waiting(&decision, act.now)?;
    end(conn, &mut decision, DecisionState::Withdrawn, act, None).await?;
    kind.close(conn, &decision, act.now).await?;
    Ok(decision)
}

/// Expires some proposals that waited beyond their time, inside the caller's transaction. Returns whether there may be
/// more.
///
/// # Errors
/// When the database fails.
pub async fn expire(conn: &mut Conn, kinds: Registry, now: DateTime<Utc>) -> Result<bool, Problem> {
    const MOST: i64 = 100;
    let overdue = store::lock_overdue(conn, MOST, now).await?;
    let more = i64::try_from(overdue.len()).is_ok_and(|found| found == MOST);
    for mut decision in overdue {
        let kind = kinds.find(&decision.kind)?;
        decision.state = DecisionState::Expired.as_str().to_owned();
        decision.decided_at = Some(now);
        store::end(conn, &decision).await?;
        kind.close(conn, &decision, now).await?;
        record(conn, &decision, ("decision.expired", None), None, now).await?;
        told(conn, &decision, "decision_expired", now).await?;
    }
    Ok(more)
}

async fn require_decider(
    conn: &mut Conn,
    kind: &dyn DecisionKind,
    decision: &Decision,
    act: &Act<'_>,
) -> Result<(), Problem> {
    match act.decider {
        Decider::Officer(caller) => eligibility::require_decider(conn, kind, decision, caller, act.now).await,
        Decider::CommandLine if kind.on_command_line() => Ok(()),
        Decider::CommandLine => Err(Problem::new(Code::Forbidden)),
    }
}

fn require_waiting(decision: &Decision, now: DateTime<Utc>) -> Result<(), Problem> {
    if decision.state == DecisionState::Waiting.as_str() && decision.expires_at > now {
        return Ok(());
    }
    if matches!(&*decision.state, "waiting" | "expired") {
        return Err(Problem::new(Code::DecisionExpired));
    }
    Err(Problem::with(
        Code::Conflict,
        "Việc này đã được quyết định hoặc đã được rút lại.",
        "This was decided already, or withdrawn.",
    ))
}

/// Writes the end of a locked decision, with its events.
async fn end(
    conn: &mut Conn,
    decision: &mut Decision,
    state: DecisionState,
    act: &Act<'_>,
    reason: Option<&str>,
) -> Result<(), Problem> {
    let by = match act.decider {
        Decider::Officer(caller) => Some(caller.account_id),
        Decider::CommandLine => None,
    };
    decision.state = state.as_str().to_owned();
    decision.decided_by = by;
    decision.decided_at = Some(act.now);
    decision.decision_reason = reason.map(str::to_owned);
    store::end(conn, decision).await?;
    let action = match state {
        DecisionState::Confirmed => "decision.confirmed",
        DecisionState::Declined => "decision.declined",
        _ => "decision.withdrawn",
    };
    record(conn, decision, (action, by), act.request_id, act.now).await
}

/// The audit event, and the event for other features and programs.
async fn record(
    conn: &mut Conn,
    decision: &Decision,
    (action, actor_id): (&'static str, Option<Uuid>),
    request_id: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let event = audit::AuditEvent {
        client_id: None,
        actor_id,
        action,
        object_kind: "decision",
        object_id: decision.id,
        unit_id: Some(decision.unit_id),
        member_id: decision.subject_id,
        request_id,
        details: json!({"kind": decision.kind, "object_id": decision.object_id}),
    };
    audit::record(conn, event, now).await?;
    let topic = if action == "decision.proposed" { "decisions.proposed" } else { "decisions.decided" };
    let payload = json!({
        "decision_id": decision.id,
        "kind": decision.kind,
        "object_id": decision.object_id,
        "unit_id": decision.unit_id,
        "state": decision.state,
    });
    outbox::emit(conn, topic, payload, now).await
}

/// Notifies the proposer.
async fn told(conn: &mut Conn, decision: &Decision, kind: &str, now: DateTime<Utc>) -> Result<(), Problem> {
    let details = json!({"decision_id": decision.id, "unit_id": decision.unit_id});
    outbox::tell(conn, kind, &[decision.proposed_by], &details, now).await
}
