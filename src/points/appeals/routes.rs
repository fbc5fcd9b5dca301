//! Appeals over HTTP.

use actix_web::{get, post};
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::extract::{Anyone, Myself, Query, ReadRequest, WriteRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::{Created, Reply};
use crate::kernel::security::access::Permission;
use crate::kernel::security::audit;
use crate::organisation::grants;
use crate::points::officers::require_any_on;

use super::answer::{AppealAnswer, answer};
use super::file::{NewAppeal, file};
use super::model::{AppealKind, AppealOutcome, AppealState};
use super::store::{self, Appeal};
use super::target::OnAppeal;

/// What a member appeals against.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AppealIn {
    /// A point that is missing, or an entry that is wrong.
    #[schema(example = "missing")]
    kind: AppealKind,
    /// The month it is about.
    #[schema(example = "2026-11")]
    period: Period,
    /// The entry that is wrong; needed for `wrong`, left out for `missing`.
    entry_id: Option<Uuid>,
    /// What gave no point: a document, a meeting, a day.
    #[schema(max_length = 200)]
    object: Option<String>,
    /// What happened, in the member's own words.
    #[schema(
        min_length = 1,
        max_length = 1000,
        content_media_type = "text/plain",
        pattern = r"\S",
        example = "Tôi có dự họp nhưng không được tính điểm."
    )]
    text: String,
}

/// File an appeal
///
/// Against a point that is missing or an entry that is wrong. An officer answers with a reason. A member has at most
/// five open appeals at a time.
#[utoipa::path(tag = "Adjustments", request_body = AppealIn, responses(
    (status = 409, description = "There is an open one about the entry, or too many wait."),
    (status = 422, description = "There is no such entry in that month."),
    (status = 403, description = "The caller is no member.")))]
#[post("/me/appeals")]
pub async fn file_appeal(request: WriteRequest<AppealIn, Myself>) -> Result<Created<Appeal>, Problem> {
    request
        .commit(async |conn, scope| {
            let (member_id, body) = (scope.caller.account_id, &scope.body);
            let new = NewAppeal {
                member_id,
                kind: body.kind,
                period: body.period,
                entry_id: body.entry_id,
                object: body.object.as_deref().map(str::trim).filter(|object| !object.is_empty()),
                statement: body.text.trim(),
            };
            let id = file(conn, &new, scope.now).await?;
            let event = audit::AuditEvent {
                unit_id: scope.caller.home.first().copied(),
                member_id: Some(member_id),
                details: json!({"kind": body.kind, "period": body.period}),
                ..scope.audit("appeal.filed", "appeal", id)
            };
            audit::record(conn, event, scope.now).await?;
            if let Some(cell) = scope.caller.home.first() {
                let mut except = vec![member_id];
                if let Some(entry_id) = body.entry_id {
                    except.extend(store::vouchers(conn, member_id, entry_id).await?);
                }
                let answering = (*cell, Permission::DecideAdjustments);
                grants::tell_nearest(conn, answering, &except, "appeal_waiting", scope.now).await?;
            }
            store::get(conn, id).await
        })
        .await
}

/// List my appeals
///
/// With their answers, the latest first.
#[utoipa::path(tag = "Adjustments", params(PageQuery), responses((status = 403, description = "The caller is no member.")))]
#[get("/me/appeals")]
pub async fn list_my_appeals(
    mut request: ReadRequest<Myself>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<Appeal>>, Problem> {
    let before = page.0.after()?;
    let rows = store::of_member(&mut request.conn, request.scope.caller.account_id, before, page.0.fetch()).await?;
    request.reply(&page.0.page(rows, |row| row.id, |row| row))
}

/// Filter of the list of appeals.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AppealQuery {
    /// The unit, with everything below it.
    unit_id: Uuid,
    /// Only appeals in this state; all when left out.
    #[param(inline, nullable = false)]
    state: Option<AppealState>,
}

/// List appeals
///
/// Of members of a unit and everything below it, the latest first. For officers who decide adjustments there, and inspectors.
#[utoipa::path(tag = "Adjustments", params(AppealQuery, PageQuery), responses(
    (status = 403, description = "The caller may know of the unit but may not look."),
    (status = 404, description = "There is no such unit, or the caller may not know that there is.")))]
#[get("/appeals")]
pub async fn list_appeals(
    mut request: ReadRequest<Anyone>,
    query: Query<AppealQuery>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<Appeal>>, Problem> {
    const READERS: &[Permission] = &[Permission::DecideAdjustments, Permission::ReadCases];
    let (Query(query), today) = (query, day_of(request.scope.now));
    require_any_on(&mut request.conn, &request.scope.caller, query.unit_id, READERS, today).await?;
    let before = page.0.after()?;
    let rows = store::of_unit(&mut request.conn, query.unit_id, query.state, today, before, page.0.fetch()).await?;
    request.reply(&page.0.page(rows, |row| row.id, |row| row))
}

/// An answer to an appeal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AppealAnswerIn {
    /// Whether the member is right.
    #[schema(example = "dismissed")]
    outcome: AppealOutcome,
    /// Why; the member will see it.
    #[schema(
        min_length = 1,
        max_length = 1000,
        content_media_type = "text/plain",
        pattern = r"\S",
        example = "Biên bản cuộc họp không có tên đồng chí."
    )]
    reason: String,
    /// The proposal of an adjustment that follows, of an appeal that is upheld.
    adjustment_id: Option<Uuid>,
}

/// Answer an appeal
///
/// Says whether the member is right, and why; the member is notified. Points change only by an adjustment, which a
/// second officer approves. For officers who decide adjustments on the member's cell, except the member and officers
/// who vouched for the entry.
#[utoipa::path(tag = "Adjustments", params(("appeal_id" = Uuid, Path, description = "The appeal.")), request_body = AppealAnswerIn,
    responses(
    (status = 409, description = "It was answered already."),
    (status = 422, description = "The adjustment does not belong to the member.")))]
#[post("/appeals/{appeal_id}/answer")]
pub async fn answer_appeal(request: WriteRequest<AppealAnswerIn, OnAppeal>) -> Result<Reply<Appeal>, Problem> {
    request
        .commit(async |conn, scope| {
            let (id, body) = (scope.on.appeal_id, &scope.body);
            let given =
                AppealAnswer { outcome: body.outcome, reason: body.reason.trim(), adjustment_id: body.adjustment_id };
            let open = answer(conn, id, &given, scope.caller.account_id, scope.now).await?;
            let event = audit::AuditEvent {
                unit_id: Some(scope.on.unit_id),
                member_id: Some(open.member_id),
                details: json!({"outcome": body.outcome, "adjustment_id": body.adjustment_id}),
                ..scope.audit("appeal.answered", "appeal", id)
            };
            audit::record(conn, event, scope.now).await?;
            store::get(conn, id).await
        })
        .await
}
