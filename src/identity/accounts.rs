//! Suspension of accounts: nobody signs in with one that is suspended, until an officer reinstates it.

use actix_web::{HttpRequest, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use futures_util::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::accounts;
use crate::kernel::extract::{Authorize, Scope, WriteRequest, path_id};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::Reply;
use crate::kernel::security::access::{Permission, Role};
use crate::kernel::security::audit;
use crate::kernel::security::auth::{AccountKind, Principal};
use crate::organisation::grants::{self, Rank};
use crate::organisation::members::require_other;
use crate::organisation::{cell_of, last_cell_of, units};

use super::sessions::device_sessions::{self, Because};

/// The account of the path's `account_id`: a member's, whose last cell the caller manages, or that of an administrator, for
/// administrators.
pub struct OnAccount {
    pub account_id: Uuid,
    is_member: bool,
    /// The cell of a member.
    unit_id: Option<Uuid>,
}

impl Authorize for OnAccount {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let account_id = path_id(req, "account_id")?;
            let kind: String = accounts::table.find(account_id).select(accounts::kind).first(conn).await?;
            match AccountKind::parse(&kind) {
                Some(AccountKind::Member) => {}
                Some(AccountKind::Administrator) if administers(caller) => {
                    return Ok(Self { account_id, is_member: false, unit_id: None });
                }
                _ => return Err(Problem::not_found()),
            }
            let unit_id = last_cell_of(conn, account_id, day_of(now)).await?.ok_or_else(Problem::not_found)?;
            let path = units::last_path(conn, unit_id, day_of(now)).await?;
            caller.require(&path, Permission::ManageMembers)?;
            Ok(Self { account_id, is_member: true, unit_id: Some(unit_id) })
        })
    }
}

fn administers(caller: &Principal) -> bool {
    caller.grants.iter().any(|grant| grant.role == Role::SystemAdministrator)
}

/// Why an account is suspended or reinstated.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountChangeIn {
    /// Kept in the audit log.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S", example = "Mất điện thoại, nghi bị lộ mật khẩu")]
    reason: String,
}

/// Whether an account can be used.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountState {
    /// The account.
    account_id: Uuid,
    /// Since when it is suspended; null while it can be used.
    suspended_at: Option<DateTime<Utc>>,
}

/// Suspend an account
///
/// All devices are signed out, and nobody signs in with it until it is reinstated; roles and points stay. An account that holds
/// a role is suspended from above it, that of an administrator by another administrator; nobody suspends their own. Suspending
/// one that is suspended changes nothing.
#[utoipa::path(tag = "Members", params(("account_id" = Uuid, Path, description = "The account; a member's has the member's id.")),
    request_body = AccountChangeIn, responses(
    (status = 403, description = "It is the caller's own, or holds a role that the caller does not stand above (`own_interest`).")))]
#[post("/accounts/{account_id}/suspension")]
pub async fn suspend_account(
    request: WriteRequest<AccountChangeIn, OnAccount>,
) -> Result<Reply<AccountState>, Problem> {
    request
        .commit(async |conn, scope| {
            let account_id = scope.on.account_id;
            let before = take(conn, scope).await?;
            if before.is_some() {
                return Ok(AccountState { account_id, suspended_at: before });
            }
            device_sessions::revoke_others(conn, account_id, None, Because::Suspended, scope.now).await?;
            set(conn, scope, Some(scope.now), ("account.suspended", "account_suspended")).await
        })
        .await
}

/// Reinstate an account
///
/// It can be used again, with the password it had; devices sign in anew. By those who could suspend it. Not for people whose
/// membership has ended.
#[utoipa::path(tag = "Members", params(("account_id" = Uuid, Path, description = "The account; a member's has the member's id.")),
    request_body = AccountChangeIn, responses(
    (status = 403, description = "It is the caller's own, or holds a role that the caller does not stand above."),
    (status = 422, description = "The person belongs to no cell any more.")))]
#[post("/accounts/{account_id}/reinstatement")]
pub async fn reinstate_account(
    request: WriteRequest<AccountChangeIn, OnAccount>,
) -> Result<Reply<AccountState>, Problem> {
    request
        .commit(async |conn, scope| {
            let account_id = scope.on.account_id;
            let before = take(conn, scope).await?;
            if before.is_none() {
                return Ok(AccountState { account_id, suspended_at: None });
            }
            if scope.on.is_member && cell_of(conn, account_id, day_of(scope.now)).await?.is_none() {
                return Err(Problem::with(
                    Code::RuleNotMet,
                    "Người này không còn là đảng viên của chi bộ nào.",
                    "The person belongs to no cell any more.",
                ));
            }
            // Those that a departure left behind: they were of no use meanwhile, and stay so.
            device_sessions::revoke_others(conn, account_id, None, Because::Suspended, scope.now).await?;
            set(conn, scope, None, ("account.reinstated", "account_reinstated")).await
        })
        .await
}

/// Locks the account and checks who asks; tells since when it is suspended.
async fn take(conn: &mut Conn, scope: &Scope<AccountChangeIn, OnAccount>) -> Result<Option<DateTime<Utc>>, Problem> {
    let account_id = scope.on.account_id;
    require_other(scope.caller.account_id, account_id)?;
    let needed = (Permission::ManageMembers, Rank::Above);
    grants::require_rank(conn, &scope.caller, account_id, needed, scope.now).await?;
    device_sessions::lock_account(conn, account_id).await?;
    Ok(accounts::table.find(account_id).select(accounts::disabled_at).first(conn).await?)
}

async fn set(
    conn: &mut Conn,
    scope: &Scope<AccountChangeIn, OnAccount>,
    suspended_at: Option<DateTime<Utc>>,
    (action, told): (&'static str, &str),
) -> Result<AccountState, Problem> {
    let account_id = scope.on.account_id;
    diesel::update(accounts::table.find(account_id)).set(accounts::disabled_at.eq(suspended_at)).execute(conn).await?;
    let event = audit::AuditEvent {
        unit_id: scope.on.unit_id,
        member_id: scope.on.is_member.then_some(account_id),
        details: json!({"reason": scope.body.reason.trim()}),
        ..scope.audit(action, "account", account_id)
    };
    audit::record(conn, event, scope.now).await?;
    device_sessions::notify(conn, told, account_id, json!({}), scope.now).await?;
    Ok(AccountState { account_id, suspended_at })
}
