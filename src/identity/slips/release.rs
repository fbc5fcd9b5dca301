//! Slips of role holders: one officer asks, a second one above releases and reads the code.

use chrono::{DateTime, Days, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use futures_util::future::LocalBoxFuture;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::activation_slips;
use crate::kernel::http::problem::{Code, Problem, Text, text};
use crate::kernel::ids::new_id;
use crate::kernel::security::access::Permission;
use crate::kernel::security::audit;
use crate::kernel::security::auth::Principal;
use crate::kernel::security::crypto::Crypto;
use crate::organisation::decisions::{self, Decision, DecisionKind, DecisionRole, DecisionState, NewDecision, Reach};
use crate::organisation::{cell_of, units};

use super::store::{self, NewSlip};
use crate::identity::sessions::device_sessions;

/// The kind of decision that releases a slip.
pub struct RoleHolderSlip;

/// See [`RoleHolderSlip`].
pub static ROLE_HOLDER_SLIP: RoleHolderSlip = RoleHolderSlip;

impl DecisionKind for RoleHolderSlip {
    fn code(&self) -> &'static str {
        "role_holder_slip"
    }

    fn title(&self) -> Text {
        text("Phiếu kích hoạt cho người giữ chức vụ", "Activation slip of a person who holds a role")
    }

    fn proposing(&self) -> Permission {
        Permission::IssueSlips
    }

    fn deciding(&self) -> Permission {
        Permission::IssueSlips
    }

    fn reach(&self) -> Reach {
        Reach::Above
    }

    fn valid_days(&self) -> u64 {
        7
    }

    fn on_command_line(&self) -> bool {
        true
    }

    fn check<'a>(
        &'a self,
        conn: &'a mut Conn,
        decision: &'a Decision,
        (officer, part): (&'a Principal, DecisionRole),
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<(), Problem>> {
        Box::pin(async move {
            let member_id = decision.subject_id.ok_or_else(|| Problem::internal("a slip without a member"))?;
            store::require_other(officer, member_id)?;
            match part {
                DecisionRole::Proposer => Ok(()),
                DecisionRole::Decider => require_above(conn, officer, member_id, now).await,
            }
        })
    }

    /// The slip is created when its code is read: until then there is none that could be stolen.
    fn apply<'a>(
        &'a self,
        _conn: &'a mut Conn,
        _decision: &'a Decision,
        _request_id: Option<&'a str>,
        _now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<(), Problem>> {
        Box::pin(async { Ok(()) })
    }
}

/// Refuses an officer who does not stand above the member's cell and above each unit where the member holds a role.
async fn require_above(
    conn: &mut Conn,
    officer: &Principal,
    member_id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let cell = cell_of(conn, member_id, day_of(now)).await?.ok_or_else(Problem::not_found)?;
    let mut paths = store::offices(conn, member_id, now).await?;
    paths.push(units::path(conn, cell, day_of(now)).await?);
    if paths.iter().all(|path| officer.may(path.get(1..).unwrap_or_default(), Permission::IssueSlips)) {
        return Ok(());
    }
    Err(Problem::with(
        Code::Forbidden,
        "Phiếu của người giữ chức vụ do cấp trên duyệt.",
        "The slip of a person who holds a role is released from above.",
    ))
}

/// Asks for the slip of a member who holds a role, on the member's locked account. Returns the decision's id.
///
/// # Errors
/// As [`decisions::propose`]; 409 when one waits for the member already.
pub async fn ask(
    conn: &mut Conn,
    (member_id, cell_id): (Uuid, Uuid),
    by: &Principal,
    request_id: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Uuid, Problem> {
    if decisions::waits_about(conn, ROLE_HOLDER_SLIP.code(), member_id, now).await? {
        return Err(decisions::waits_already());
    }
    let proposal = NewDecision {
        kind: &ROLE_HOLDER_SLIP,
        object_id: new_id(now),
        unit_id: cell_id,
        subject_id: Some(member_id),
        at_stake: vec![member_id],
        reason: "",
        payload: json!({}),
    };
    decisions::propose(conn, proposal, by, request_id, now).await
}

/// A slip whose code was generated.
pub struct Released {
    pub id: Uuid,
    pub code: String,
    pub expires_at: DateTime<Utc>,
}

/// Generates the code of a released slip, once, for the officer who released it.
///
/// # Errors
/// 404 unless the reader released such a slip, 409 when the code was read before, 410 when the slip has expired, 403 or
/// 409 when one of the two officers has lost the right to it.
pub async fn read_code(
    conn: &mut Conn,
    crypto: &Crypto,
    slip_id: Uuid,
    reader: Option<&Principal>,
    (days, request_id): (u32, Option<&str>),
    now: DateTime<Utc>,
) -> Result<Released, Problem> {
    let decision = released(conn, slip_id, reader).await?;
    let member_id = decision.subject_id.ok_or_else(|| Problem::internal("a slip without a member"))?;
    let kind: &dyn DecisionKind = &ROLE_HOLDER_SLIP;
    // A role may have been given or revoked since.
    if let Some(reader) = reader {
        decisions::require_decider(conn, kind, &decision, reader, now).await?;
    }
    decisions::require_proposer_still(conn, kind, &decision, now).await?;
    device_sessions::lock_account(conn, member_id).await?;
    let made: i64 = activation_slips::table.filter(activation_slips::id.eq(slip_id)).count().get_result(conn).await?;
    if made > 0 {
        return Err(Problem::with(
            Code::Conflict,
            "Mã đã được xem một lần; hãy đề nghị phiếu khác.",
            "The code was read once already; request another slip.",
        ));
    }
    let expires_at = decision.decided_at.unwrap_or(now) + Days::new(u64::from(days));
    if expires_at <= now {
        return Err(Problem::new(Code::DecisionExpired));
    }
    let code = store::new_code()?;
    let new = NewSlip {
        id: slip_id,
        account_id: member_id,
        issued_by: decision.proposed_by,
        decision_id: Some(decision.id),
        code: &code,
        expires_at,
    };
    store::issue(conn, crypto, &new, now).await?;
    let event = audit::AuditEvent {
        client_id: None,
        actor_id: reader.map(|reader| reader.account_id),
        action: "slip.issued",
        object_kind: "activation_slip",
        object_id: slip_id,
        unit_id: Some(decision.unit_id),
        member_id: Some(member_id),
        request_id,
        details: json!({"decision_id": decision.id}),
    };
    audit::record(conn, event, now).await?;
    Ok(Released { id: slip_id, code, expires_at })
}

/// Hides slips that the caller did not release.
///
/// # Errors
/// 404 for any other slip.
pub async fn require_released_by(conn: &mut Conn, slip_id: Uuid, caller: &Principal) -> Result<(), Problem> {
    released(conn, slip_id, Some(caller)).await.map(|_| ())
}

/// The decision by which this reader released the slip.
async fn released(conn: &mut Conn, slip_id: Uuid, reader: Option<&Principal>) -> Result<Decision, Problem> {
    let decision = decisions::last_of(conn, ROLE_HOLDER_SLIP.code(), slip_id).await?.ok_or_else(Problem::not_found)?;
    let by = reader.map(|reader| reader.account_id);
    let confirmed = decision.state == DecisionState::Confirmed.as_str();
    if confirmed && decision.decided_by == by { Ok(decision) } else { Err(Problem::not_found()) }
}
