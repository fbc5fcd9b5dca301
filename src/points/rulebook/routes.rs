//! Changes of rules over HTTP: drafted, published, ended by officers.

use actix_web::http::header;
use actix_web::{HttpRequest, delete, get, post, put};
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::extract::{Empty, Query, ReadRequest, Scope, WriteRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Code, Problem, text};
use crate::kernel::http::reply;
use crate::kernel::http::reply::{Created, NoContent, Reply};
use crate::kernel::ids::new_id;
use crate::kernel::security::access::needs::ManageRules;
use crate::kernel::security::audit;
use crate::organisation::OnUnit;

use super::change::{RuleChange, RuleChangeIn, RuleChangeState};
use super::publication::{end, publish, require_allowed};
use super::store;
use super::target::OnRuleChange;

/// Draft a change of a rule
///
/// For the unit and everything below it: lower points, lower caps, or switched off; never wider than the superior allows. The
/// unit at the top of the whole system may draft a new version of a rule of the system instead. A draft changes nothing.
#[utoipa::path(tag = "Rules", params(("unit_id" = Uuid, Path, description = "The unit.")), request_body = RuleChangeIn, responses(
    (status = 422, description = "There is no such rule then, its first day has come, fields do not fit, or the change would widen it (`rule_widened`).")))]
#[post("/units/{unit_id}/point-rule-changes")]
pub async fn draft_rule_change(
    request: WriteRequest<RuleChangeIn, OnUnit<ManageRules>>,
) -> Result<Created<RuleChange>, Problem> {
    request
        .commit(async |conn, scope| {
            let (on, by) = (&scope.on, scope.caller.account_id);
            require_allowed(conn, &on.path, &scope.body, day_of(scope.now)).await?;
            let id = new_id(scope.now);
            store::draft(conn, id, on.unit_id, &scope.body, by, scope.now).await?;
            record(conn, scope, (id, on.unit_id), "rule_change.drafted").await?;
            store::get(conn, id).await
        })
        .await
}

/// Which changes are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RuleChangeQuery {
    /// Only drafts, or only published ones.
    #[param(inline, nullable = false)]
    state: Option<RuleChangeState>,
}

/// List a unit's changes of rules
///
/// Drafts and published changes of the unit itself, the newest first. For its officers.
#[utoipa::path(tag = "Rules", params(("unit_id" = Uuid, Path, description = "The unit."), PageQuery, RuleChangeQuery))]
#[get("/units/{unit_id}/point-rule-changes")]
pub async fn list_rule_changes(
    mut request: ReadRequest<OnUnit<ManageRules>>,
    page: Query<PageQuery>,
    query: Query<RuleChangeQuery>,
) -> Result<Reply<Page<RuleChange>>, Problem> {
    let (before, unit_id) = (page.0.after()?, request.scope.on.unit_id);
    let state = query.0.state.map(RuleChangeState::as_str);
    let rows = store::of_unit(&mut request.conn, unit_id, state, before, page.0.fetch()).await?;
    request.reply(&page.0.page(rows, |row| row.id, |row| row))
}

/// Get a change of a rule
///
/// A draft or a published change. For the officers of its unit.
#[utoipa::path(tag = "Rules", params(("change_id" = Uuid, Path, description = "The change.")))]
#[get("/point-rule-changes/{change_id}")]
pub async fn get_rule_change(mut request: ReadRequest<OnRuleChange>) -> Result<Reply<RuleChange>, Problem> {
    let id = request.scope.on.change_id;
    let change = store::get(&mut request.conn, id).await?;
    request.reply(&change)
}

/// Replace a draft of a change
///
/// Replaces the whole draft. Needs the `ETag` of the draft as `If-Match`; 412 when the draft was changed meanwhile.
#[utoipa::path(tag = "Rules", params(("change_id" = Uuid, Path, description = "The change."),
        ("If-Match" = String, Header, description = "The `ETag` of the draft that was read.", max_length = 500, pattern = "^.+$")),
    request_body = RuleChangeIn, responses(
    (status = 409, description = "It is published already."),
    (status = 412, description = "The draft was changed meanwhile."),
    (status = 422, description = "There is no such rule then, its first day has come, fields do not fit, or the change would widen it (`rule_widened`).")))]
#[put("/point-rule-changes/{change_id}")]
pub async fn replace_rule_change(
    req: HttpRequest,
    request: WriteRequest<RuleChangeIn, OnRuleChange>,
) -> Result<Reply<RuleChange>, Problem> {
    if !req.headers().contains_key(header::IF_MATCH) {
        return Err(Problem::malformed("If-Match", "required", text("Thiếu If-Match.", "If-Match is required.")));
    }
    request
        .commit(async |conn, scope| {
            let on = &scope.on;
            store::lock_draft(conn, on.change_id).await?;
            let seen = store::get(conn, on.change_id).await?;
            if !reply::matches_any(&req, header::IF_MATCH, &reply::tag(&seen)?) {
                return Err(Problem::new(Code::PreconditionFailed));
            }
            require_allowed(conn, &on.path, &scope.body, day_of(scope.now)).await?;
            store::rewrite(conn, on.change_id, &scope.body).await?;
            record(conn, scope, (on.change_id, on.unit_id), "rule_change.rewritten").await?;
            store::get(conn, on.change_id).await
        })
        .await
}

/// Delete a draft of a change
///
/// Only a draft; what is published is ended.
#[utoipa::path(tag = "Rules", params(("change_id" = Uuid, Path, description = "The change.")), responses(
    (status = 409, description = "It is published already.")))]
#[delete("/point-rule-changes/{change_id}")]
pub async fn delete_rule_change(request: WriteRequest<Empty, OnRuleChange>) -> Result<NoContent, Problem> {
    request
        .commit(async |conn, scope| {
            let on = &scope.on;
            store::lock_draft(conn, on.change_id).await?;
            store::drop_draft(conn, on.change_id).await?;
            record(conn, scope, (on.change_id, on.unit_id), "rule_change.deleted").await
        })
        .await
}

/// Publish a change of a rule
///
/// The change holds from its first day on, tomorrow at the earliest, and can no longer be edited. The previous change
/// of the same rule by the same unit ends on that day.
#[utoipa::path(tag = "Rules", params(("change_id" = Uuid, Path, description = "The change.")), request_body = Empty, responses(
    (status = 409, description = "It is published already, or a later one is."),
    (status = 422, description = "There is no such rule then, its first day has come, fields do not fit, or the change would widen it (`rule_widened`).")))]
#[post("/point-rule-changes/{change_id}/publication")]
pub async fn publish_rule_change(request: WriteRequest<Empty, OnRuleChange>) -> Result<Reply<RuleChange>, Problem> {
    request
        .commit(async |conn, scope| {
            let on = &scope.on;
            let row = store::lock_draft(conn, on.change_id).await?;
            publish(conn, &row, &on.path, scope.caller.account_id, scope.now).await?;
            let event = audit::AuditEvent {
                unit_id: Some(on.unit_id),
                details: json!(row.content()),
                ..scope.audit("rule_change.published", "rule_change", on.change_id)
            };
            audit::record(conn, event, scope.now).await?;
            store::get(conn, on.change_id).await
        })
        .await
}

/// When a change ends.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleChangeEndIn {
    /// The first day it holds no more: tomorrow or later. The first day of the change itself, when it has not begun.
    #[schema(example = "2027-03-01")]
    valid_to: NaiveDate,
}

/// End a change of a rule
///
/// From that day on, what the superior allows holds again; of the whole system, the rule gives nothing from then on.
#[utoipa::path(tag = "Rules", params(("change_id" = Uuid, Path, description = "The change.")), request_body = RuleChangeEndIn, responses(
    (status = 409, description = "It is a draft.")))]
#[post("/point-rule-changes/{change_id}/end")]
pub async fn end_rule_change(
    request: WriteRequest<RuleChangeEndIn, OnRuleChange>,
) -> Result<Reply<RuleChange>, Problem> {
    request
        .commit(async |conn, scope| {
            let (on, body) = (&scope.on, &scope.body);
            let row = store::lock(conn, on.change_id).await?;
            end(conn, &row, body.valid_to, day_of(scope.now)).await?;
            let event = audit::AuditEvent {
                unit_id: Some(on.unit_id),
                details: json!({"valid_to": body.valid_to}),
                ..scope.audit("rule_change.ended", "rule_change", on.change_id)
            };
            audit::record(conn, event, scope.now).await?;
            store::get(conn, on.change_id).await
        })
        .await
}

async fn record<B, T>(
    conn: &mut Conn,
    scope: &Scope<B, T>,
    (change_id, unit_id): (Uuid, Uuid),
    action: &'static str,
) -> Result<(), Problem> {
    let event = audit::AuditEvent { unit_id: Some(unit_id), ..scope.audit(action, "rule_change", change_id) };
    audit::record(conn, event, scope.now).await
}
