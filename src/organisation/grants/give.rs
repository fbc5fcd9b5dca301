//! Giving a role that decides: two officers above the unit, one proposes, one confirms.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Text as SqlText, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use futures_util::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Code, Problem, Text, text};
use crate::kernel::outbox;
use crate::kernel::security::access::{Permission, Role};
use crate::kernel::security::audit;
use crate::kernel::security::auth::Principal;
use crate::organisation::decisions::{self, Decision, DecisionKind, DecisionRole, NewDecision, Reach};
use crate::organisation::units;

use super::rule;
use super::store::{self, NewGrant};

/// The kind of decision that gives a role.
pub struct RoleGrant;

/// See [`RoleGrant`].
pub static ROLE_GRANT: RoleGrant = RoleGrant;

/// The payload of the decision, beside the grant's id, its holder and its unit.
#[derive(Debug, Serialize, Deserialize)]
struct GrantTerms {
    role: Role,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
}

impl DecisionKind for RoleGrant {
    fn code(&self) -> &'static str {
        "role_grant"
    }

    fn title(&self) -> Text {
        text("Giao vai trò", "Giving a role")
    }

    fn proposing(&self) -> Permission {
        Permission::ManageGrants
    }

    fn deciding(&self) -> Permission {
        Permission::ManageGrants
    }

    fn reach(&self) -> Reach {
        Reach::Above
    }

    fn on_command_line(&self) -> bool {
        true
    }

    fn check<'a>(
        &'a self,
        conn: &'a mut Conn,
        decision: &'a Decision,
        (officer, _): (&'a Principal, DecisionRole),
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<(), Problem>> {
        Box::pin(async move {
            let path = units::last_path(conn, decision.unit_id, day_of(now)).await?;
            rule::require(officer, &path)
        })
    }

    fn apply<'a>(
        &'a self,
        conn: &'a mut Conn,
        decision: &'a Decision,
        request_id: Option<&'a str>,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<(), Problem>> {
        Box::pin(async move {
            let terms: GrantTerms = serde_json::from_value(decision.payload.clone()).map_err(Problem::internal)?;
            let new = NewGrant {
                id: decision.object_id,
                account_id: decision.subject_id.ok_or_else(|| Problem::internal("a role without a holder"))?,
                role: terms.role,
                unit_id: decision.unit_id,
                // The role was not in force while the decision waited.
                valid_from: terms.valid_from.max(day_of(now)),
                valid_to: terms.valid_to,
                granted_by: decision.proposed_by,
            };
            give(conn, &new, decision.decided_by, request_id, now).await
        })
    }
}

/// Proposes a role that decides. Returns the decision's id.
///
/// # Errors
/// As [`decisions::propose`].
pub async fn propose_role(
    conn: &mut Conn,
    new: &NewGrant,
    by: &Principal,
    request_id: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Uuid, Problem> {
    let terms = GrantTerms { role: new.role, valid_from: new.valid_from, valid_to: new.valid_to };
    let proposal = NewDecision {
        kind: &ROLE_GRANT,
        object_id: new.id,
        unit_id: new.unit_id,
        subject_id: Some(new.account_id),
        at_stake: vec![new.account_id],
        reason: "",
        payload: serde_json::to_value(terms).map_err(Problem::internal)?,
    };
    decisions::propose(conn, proposal, by, request_id, now).await
}

#[derive(QueryableByName)]
struct GrantDraft {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = SqlText)]
    role: String,
}

/// The roles on a unit that wait for a second officer, with their intended holders.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn roles_waiting(conn: &mut Conn, unit_id: Uuid, now: DateTime<Utc>) -> Result<Vec<(Uuid, String)>, Problem> {
    let rows: Vec<GrantDraft> = diesel::sql_query(
        "SELECT subject_id AS account_id, payload ->> 'role' AS role FROM decisions
         WHERE unit_id = $1 AND kind = $2 AND state = 'waiting' AND expires_at > $3 AND subject_id IS NOT NULL",
    )
    .bind::<SqlUuid, _>(unit_id)
    .bind::<SqlText, _>(ROLE_GRANT.code())
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.account_id, row.role)).collect())
}

/// Refuses to propose a role again while it waits for a second officer.
///
/// # Errors
/// 409 when it does.
pub async fn require_none_waiting(conn: &mut Conn, new: &NewGrant, now: DateTime<Utc>) -> Result<(), Problem> {
    let same = (new.account_id, new.role.as_str().to_owned());
    if !roles_waiting(conn, new.unit_id, now).await?.contains(&same) {
        return Ok(());
    }
    Err(decisions::waits_already())
}

/// Gives a role on behalf of `by`; none is the operator of the server. The holder is notified.
///
/// # Errors
/// 409 when the role is held already, 422 when its term is over before it began, 404 when the unit has ended.
pub async fn give(
    conn: &mut Conn,
    new: &NewGrant,
    by: Option<Uuid>,
    request_id: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    if new.valid_to.is_some_and(|to| to <= new.valid_from) {
        return Err(Problem::with(Code::RuleNotMet, "Thời hạn của vai trò đã qua.", "The term of the role is over."));
    }
    units::path(conn, new.unit_id, day_of(now)).await?;
    units::lock(conn, new.unit_id).await?;
    store::create(conn, new, now).await?;
    let event = audit::AuditEvent {
        client_id: None,
        actor_id: by,
        action: "grant.given",
        object_kind: "grant",
        object_id: new.id,
        unit_id: Some(new.unit_id),
        member_id: Some(new.account_id),
        request_id,
        details: json!({"role": new.role, "valid_from": new.valid_from, "valid_to": new.valid_to}),
    };
    audit::record(conn, event, now).await?;
    outbox::tell(conn, "role_given", &[new.account_id], &json!({"role": new.role, "unit_id": new.unit_id}), now).await
}
