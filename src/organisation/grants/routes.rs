//! Grants over HTTP.

use actix_web::web::Data;
use actix_web::{delete, get, post};
use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::extract::{Anyone, Empty, Query, ReadRequest, Scope, WriteRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Code, Problem, text};
use crate::kernel::http::reply::{Accepted, Created, NoContent, OneOf, Reply};
use crate::kernel::ids::new_id;
use crate::kernel::security::access::{Permission, Role};
use crate::kernel::security::audit;
use crate::kernel::security::auth::Principal;
use crate::organisation::decisions::{self, DecisionOut, Registry};
use crate::organisation::{cell_of, units};

use super::give::{give, propose_role, require_none_waiting};
use super::rule;
use super::store::{self, GrantOut, NewGrant};
use super::target::{OnGrant, OnGrantsOf};

/// A role to give. Either `member_id` or `account_id` names the holder.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantIn {
    /// The member who is to hold it.
    member_id: Option<Uuid>,
    /// The account that is to hold it, when it is no member's; for system administrators only.
    account_id: Option<Uuid>,
    /// The role. Cell roles are given on cells, committee roles on the units above.
    #[schema(example = "minute_taker")]
    role: Role,
    /// The unit it is given on.
    #[schema(example = "0192f0c1-0000-7000-8000-000000000001")]
    unit_id: Uuid,
    /// Its first day; today by default, never earlier.
    valid_from: Option<NaiveDate>,
    /// The day after its last; leave it out when it has no end.
    valid_to: Option<NaiveDate>,
}

/// Give a role
///
/// Gives a member a role on a unit for a term. Roles are given from above: by an officer who manages roles on a unit strictly
/// above this one, or by a system administrator; never to oneself. The roles `member` and `system_administrator` are not
/// given here. A cell has one secretary at a time. A role that decides on what others propose (all but `minute_taker` and
/// `propaganda_officer`) takes two officers: the answer is 202 with a decision, and the role holds when a second officer
/// above the unit confirms it.
#[utoipa::path(tag = "Roles", request_body = GrantIn, responses(
    (status = 403, description = "The caller may not give roles there, or not to themselves."),
    (status = 404, description = "There is no such unit or member, or the caller may not know that there is."),
    (status = 409, description = "The role is held already."),
    (status = 422, description = "The role does not belong on a unit of this kind.")))]
#[post("/grants")]
pub async fn create_grant(
    request: WriteRequest<GrantIn, Anyone>,
    kinds: Data<Registry>,
) -> Result<OneOf<Created<GrantOut>, Accepted<DecisionOut>>, Problem> {
    let kinds = **kinds;
    if request.body.role.decides() {
        let decision = request.commit(async |conn, scope| {
            let new = checked(conn, scope).await?;
            store::require_free(conn, &new).await?;
            require_none_waiting(conn, &new, scope.now).await?;
            let request_id = Some(scope.context.request_id.as_str());
            let id = propose_role(conn, &new, &scope.caller, request_id, scope.now).await?;
            decisions::answer(conn, id, kinds, scope.context.language, scope.now).await
        });
        return decision.await.map(OneOf::Second);
    }
    let given = request.commit(async |conn, scope| {
        let new = checked(conn, scope).await?;
        decisions::require_rested(conn, scope.caller.account_id, scope.now).await?;
        let by = Some(scope.caller.account_id);
        give(conn, &new, by, Some(&scope.context.request_id), scope.now).await?;
        store::get(conn, new.id).await
    });
    given.await.map(OneOf::First)
}

/// The requested grant, if this caller may request it.
async fn checked(conn: &mut Conn, scope: &Scope<GrantIn, Anyone>) -> Result<NewGrant, Problem> {
    let (body, today) = (&scope.body, day_of(scope.now));
    let path = units::path(conn, body.unit_id, today).await?;
    rule::require(&scope.caller, &path)?;
    let valid_from = term(body, today)?;
    let account_id = holder(conn, &scope.caller, body, today).await?;
    if account_id == scope.caller.account_id {
        return Err(Problem::with(
            Code::Forbidden,
            "Không ai tự giao vai trò cho mình.",
            "An officer cannot give a role to themselves.",
        ));
    }
    let cell = units::is_cell(conn, body.unit_id).await?;
    if rule::on_cell(body.role) != Some(cell) {
        return Err(Problem::with(
            Code::RuleNotMet,
            "Vai trò này không giao được ở tổ chức thuộc loại này.",
            "This role cannot be given on a unit of this kind.",
        ));
    }
    Ok(NewGrant {
        id: new_id(scope.now),
        account_id,
        role: body.role,
        unit_id: body.unit_id,
        valid_from,
        valid_to: body.valid_to,
        granted_by: scope.caller.account_id,
    })
}

/// The first day of the term, if the term is valid.
fn term(body: &GrantIn, today: NaiveDate) -> Result<NaiveDate, Problem> {
    let valid_from = body.valid_from.unwrap_or(today);
    if valid_from < today {
        let detail = text("Sớm nhất là hôm nay.", "Today at the earliest.");
        return Err(Problem::fault("/valid_from", "too_early", detail));
    }
    if body.valid_to.is_some_and(|to| to <= valid_from) {
        let detail = text("Phải sau ngày bắt đầu.", "Must come after the first day.");
        return Err(Problem::fault("/valid_to", "too_early", detail));
    }
    Ok(valid_from)
}

/// The intended holder of the role: a member whom the caller may know, or for administrators another account.
async fn holder(conn: &mut Conn, caller: &Principal, body: &GrantIn, today: NaiveDate) -> Result<Uuid, Problem> {
    match (body.member_id, body.account_id) {
        (Some(member_id), None) => {
            let cell = cell_of(conn, member_id, today).await?.ok_or_else(Problem::not_found)?;
            let path = units::path(conn, cell, today).await?;
            // Callers may learn from the answer that they themselves exist.
            if member_id != caller.account_id && !caller.may(&path, Permission::ListMembers) {
                return Err(Problem::not_found());
            }
            Ok(member_id)
        }
        (None, Some(account_id)) => {
            let administrator = caller.grants.iter().any(|grant| grant.role == Role::SystemAdministrator);
            if !administrator || !store::is_staff(conn, account_id).await? {
                return Err(Problem::not_found());
            }
            Ok(account_id)
        }
        _ => {
            let detail =
                text("Nêu đúng một trong member_id và account_id.", "Name exactly one of member_id and account_id.");
            Err(Problem::fault("/member_id", "one_of", detail))
        }
    }
}

/// List a unit's roles
///
/// Lists current and past roles on this unit itself, with their holders, latest first. For officers who give roles
/// there and for inspectors.
#[utoipa::path(tag = "Roles", params(PageQuery, ("unit_id" = Uuid, Path, description = "The unit.")))]
#[get("/units/{unit_id}/grants")]
pub async fn list_grants(
    mut request: ReadRequest<OnGrantsOf>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<GrantOut>>, Problem> {
    let before = page.0.after()?;
    let unit_id = request.scope.on.unit_id;
    let rows = store::of_unit(&mut request.conn, unit_id, before, page.0.fetch()).await?;
    request.reply(&page.0.page(rows, |row| row.id, |row| row))
}

/// Revoke a role
///
/// Ends the role at once; the record stays. Revoking it again does nothing.
#[utoipa::path(tag = "Roles", params(("grant_id" = Uuid, Path, description = "The grant.")))]
#[delete("/grants/{grant_id}")]
pub async fn revoke_grant(request: WriteRequest<Empty, OnGrant>) -> Result<NoContent, Problem> {
    request
        .commit(async |conn, scope| {
            let (on, by) = (&scope.on, scope.caller.account_id);
            if store::revoke(conn, on.grant_id, by, scope.now).await? {
                let event = audit::AuditEvent {
                    unit_id: Some(on.unit_id),
                    member_id: Some(on.account_id),
                    ..scope.audit("grant.revoked", "grant", on.grant_id)
                };
                audit::record(conn, event, scope.now).await?;
            }
            Ok(())
        })
        .await
}
