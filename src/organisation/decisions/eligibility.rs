//! Eligibility to decide: computed in this one place, from the grants in force.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::security::access::Permission;
use crate::kernel::security::auth::Principal;
use crate::organisation::{grants, units};

use super::credentials;
use super::model::{Decision, DecisionKind, DecisionRole, Reach};

/// The part of a unit's path on which deciders hold their role.
pub fn deciding_path<'p>(kind: &dyn DecisionKind, path: &'p [Uuid]) -> &'p [Uuid] {
    match kind.reach() {
        Reach::Unit => path,
        Reach::Above => path.get(1..).unwrap_or_default(),
    }
}

/// Whether the caller may see decisions of a kind on a unit: officers who propose or decide there may, and inspectors.
pub fn may_read(caller: &Principal, kind: &dyn DecisionKind, path: &[Uuid]) -> bool {
    [kind.proposing(), kind.deciding(), Permission::ReadCases].iter().any(|needed| caller.may(path, *needed))
}

/// Refuses a caller who may not be the second officer of this decision. The two officers are two persons, neither of whom
/// holds the other's account; persons at stake do not decide; decisions rest after a lone slip.
///
/// # Errors
/// 403 that says why.
pub async fn require_decider(
    conn: &mut Conn,
    kind: &dyn DecisionKind,
    decision: &Decision,
    caller: &Principal,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    if caller.account_id == decision.proposed_by {
        return Err(Problem::with(
            Code::SecondOfficerRequired,
            "Người đề nghị không được tự quyết định; cần một cán bộ khác.",
            "The proposer cannot decide; another officer must.",
        ));
    }
    if decision.at_stake.contains(&caller.account_id) {
        return Err(Problem::with(
            Code::OwnInterest,
            "Không ai quyết định việc liên quan đến chính mình.",
            "An officer cannot decide on a matter that concerns them.",
        ));
    }
    let path = units::last_path(conn, decision.unit_id, day_of(now)).await?;
    if !caller.may(deciding_path(kind, &path), kind.deciding()) {
        return Err(not_competent(kind));
    }
    kind.check(conn, decision, (caller, DecisionRole::Decider), now).await?;
    credentials::require_rested(conn, caller.account_id, now).await?;
    credentials::require_apart(conn, (decision.proposed_by, decision.proposed_at), caller.account_id, now).await
}

fn not_competent(kind: &dyn DecisionKind) -> Problem {
    match kind.reach() {
        Reach::Unit => Problem::new(Code::Forbidden),
        Reach::Above => Problem::with(
            Code::Forbidden,
            "Việc này do cấp trên quyết định.",
            "An officer of a superior unit must decide this.",
        ),
    }
}

/// Checks the proposer's right again at confirmation: a role may have ended since.
///
/// # Errors
/// 409 when the proposer could no longer propose it.
pub async fn require_proposer_still(
    conn: &mut Conn,
    kind: &dyn DecisionKind,
    decision: &Decision,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    if !kind.needs_proposer_still() {
        return Ok(());
    }
    let gone = || {
        Problem::with(
            Code::Conflict,
            "Người đề nghị không còn quyền đề nghị việc này.",
            "The proposer may no longer propose this.",
        )
    };
    let proposer = grants::principal(conn, decision.proposed_by, now).await?.ok_or_else(gone)?;
    let path = units::last_path(conn, decision.unit_id, day_of(now)).await?;
    if !proposer.may(&path, kind.proposing()) {
        return Err(gone());
    }
    let checked = kind.check(conn, decision, (&proposer, DecisionRole::Proposer), now).await;
    checked.map_err(|problem| if problem.code == Code::Forbidden { gone() } else { problem })
}
