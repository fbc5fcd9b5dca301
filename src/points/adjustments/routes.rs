//! Adjustments and reversals over HTTP.

use actix_web::web::Data;
use actix_web::{get, post};
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::extract::{Anyone, Empty, Query, ReadRequest, WriteRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Problem, text};
use crate::kernel::http::reply::{Created, Reply};
use crate::kernel::security::access::needs::{DecideAdjustments, ProposeAdjustments};
use crate::kernel::security::audit;
use crate::organisation::OnMember;
use crate::organisation::decisions::{self, Act, DecisionKind, Registry};
use crate::points::officers::require_any_on;

use super::decide::{ADJUSTMENT, await_second};
use super::model::{AdjustmentState, PointChange};
use super::propose::{NewAdjustment, propose};
use super::store::{self, PointAdjustment};
use super::target::{OnAdjustment, READERS, ReadableAdjustment};

/// A correction to be proposed: either `period` and `points`, or `reverses`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PointAdjustmentIn {
    /// The month the points count for; not a future one.
    period: Option<Period>,
    /// Points to be given, or taken when negative; not 0.
    #[schema(minimum = -100, maximum = 100, example = 3)]
    points: Option<i32>,
    /// The entry to be taken back whole.
    reverses: Option<Uuid>,
    /// Why; the member will see it.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S", example = "Dự họp nhưng bị bỏ sót trong danh sách")]
    reason: String,
    /// What proves it: a document, minutes, a reference.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S", example = "Biên bản số 11-BB/CB, trang 2")]
    evidence: String,
}

impl PointAdjustmentIn {
    fn change(&self) -> Result<PointChange, Problem> {
        match (self.period, self.points, self.reverses) {
            (Some(period), Some(points), None) => Ok(PointChange::Adjust { period, points }),
            (None, None, Some(entry_id)) => Ok(PointChange::Reverse { entry_id }),
            _ => {
                let detail = text(
                    "Nêu tháng và số điểm, hoặc chỉ nêu mục cần thu hồi.",
                    "Name the month and the points, or the entry to be taken back and neither of them.",
                );
                Err(Problem::fault("/reverses", "ambiguous", detail))
            }
        }
    }
}

/// Propose an adjustment of points
///
/// Proposes to give or take points of a month, or to take an entry back whole. Nothing changes until a second officer
/// approves it. An officer cannot propose for themselves.
#[utoipa::path(tag = "Adjustments", params(("member_id" = Uuid, Path, description = "The member.")),
    request_body = PointAdjustmentIn, responses(
    (status = 409, description = "The entry was taken back or is about to be, or too many proposals wait."),
    (status = 422, description = "There is no such entry, it is a reversal itself, or the member was in no cell that month.")))]
#[post("/members/{member_id}/point-adjustments")]
pub async fn propose_adjustment(
    request: WriteRequest<PointAdjustmentIn, OnMember<ProposeAdjustments>>,
) -> Result<Created<PointAdjustment>, Problem> {
    request
        .commit(async |conn, scope| {
            let (on, body) = (&scope.on, &scope.body);
            let new = NewAdjustment {
                member_id: on.member_id,
                change: body.change()?,
                reason: body.reason.trim(),
                evidence: body.evidence.trim(),
            };
            let id = propose(conn, &new, scope.caller.account_id, scope.now).await?;
            let made = store::get(conn, id).await?;
            let event = audit::AuditEvent {
                unit_id: Some(on.unit_id),
                member_id: Some(on.member_id),
                details: json!({"period": made.period, "points": made.points, "reverses": made.reverses}),
                ..scope.audit("adjustment.proposed", "point_adjustment", id)
            };
            audit::record(conn, event, scope.now).await?;
            let request_id = Some(scope.context.request_id.as_str());
            await_second(conn, id, on.unit_id, &scope.caller, request_id, scope.now).await?;
            Ok(made)
        })
        .await
}

/// Approve an adjustment
///
/// Writes the entry and changes the month's total; caps and counters stay as they are, and a reversed object is not
/// creditable again. An entry for a month that was closed is a late correction. The member is notified. For officers
/// who decide on the member's cell, except the proposer and the member.
#[utoipa::path(tag = "Adjustments", params(("adjustment_id" = Uuid, Path, description = "The proposal.")), request_body = Empty,
    responses(
    (status = 409, description = "It was decided already, or the entry was taken back meanwhile."),
    (status = 422, description = "The points of the month would fall below zero.")))]
#[post("/point-adjustments/{adjustment_id}/approval")]
pub async fn approve_adjustment(
    request: WriteRequest<Empty, OnAdjustment<DecideAdjustments>>,
    kinds: Data<Registry>,
) -> Result<Reply<PointAdjustment>, Problem> {
    let kinds = **kinds;
    request
        .commit(async |conn, scope| {
            let id = scope.on.adjustment_id;
            let decision_id = decision_of(conn, id).await?;
            decisions::confirm(conn, decision_id, &Act::of(scope, kinds)).await?;
            store::get(conn, id).await
        })
        .await
}

/// Why an adjustment is refused.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdjustmentRefusalIn {
    /// What the proposer should know.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S", example = "Biên bản không có tên đồng chí")]
    reason: String,
}

/// Refuse an adjustment
///
/// Nothing changes. For officers who decide on the member's cell, except the proposer and the member.
#[utoipa::path(tag = "Adjustments", params(("adjustment_id" = Uuid, Path, description = "The proposal.")),
    request_body = AdjustmentRefusalIn, responses(
    (status = 409, description = "It was decided already.")))]
#[post("/point-adjustments/{adjustment_id}/refusal")]
pub async fn refuse_adjustment(
    request: WriteRequest<AdjustmentRefusalIn, OnAdjustment<DecideAdjustments>>,
    kinds: Data<Registry>,
) -> Result<Reply<PointAdjustment>, Problem> {
    let kinds = **kinds;
    request
        .commit(async |conn, scope| {
            let id = scope.on.adjustment_id;
            let decision_id = decision_of(conn, id).await?;
            decisions::decline(conn, decision_id, &Act::of(scope, kinds), scope.body.reason.trim()).await?;
            store::get(conn, id).await
        })
        .await
}

/// Withdraw an adjustment
///
/// The proposer withdraws the proposal before it is decided.
#[utoipa::path(tag = "Adjustments", params(("adjustment_id" = Uuid, Path, description = "The proposal.")), request_body = Empty,
    responses(
    (status = 409, description = "It was decided already.")))]
#[post("/point-adjustments/{adjustment_id}/withdrawal")]
pub async fn withdraw_adjustment(
    request: WriteRequest<Empty, OnAdjustment<ProposeAdjustments>>,
    kinds: Data<Registry>,
) -> Result<Reply<PointAdjustment>, Problem> {
    let kinds = **kinds;
    request
        .commit(async |conn, scope| {
            let id = scope.on.adjustment_id;
            let decision_id = decision_of(conn, id).await?;
            decisions::withdraw(conn, decision_id, &Act::of(scope, kinds)).await?;
            store::get(conn, id).await
        })
        .await
}

/// The decision that a proposal waits for, or waited for.
async fn decision_of(conn: &mut Conn, id: Uuid) -> Result<Uuid, Problem> {
    let decision = decisions::last_of(conn, ADJUSTMENT.code(), id).await?;
    Ok(decision.ok_or_else(|| Problem::internal("a correction without its decision"))?.id)
}

/// Get an adjustment
///
/// For officers who propose or decide on the member's cell, and inspectors.
#[utoipa::path(tag = "Adjustments", params(("adjustment_id" = Uuid, Path, description = "The proposal.")))]
#[get("/point-adjustments/{adjustment_id}")]
pub async fn get_adjustment(mut request: ReadRequest<ReadableAdjustment>) -> Result<Reply<PointAdjustment>, Problem> {
    let id = request.scope.on.adjustment_id;
    let found = store::get(&mut request.conn, id).await?;
    request.reply(&found)
}

/// Filter of the list of proposals.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AdjustmentQuery {
    /// The unit, with everything below it.
    unit_id: Uuid,
    /// Only proposals in this state; all when left out.
    #[param(inline, nullable = false)]
    state: Option<AdjustmentState>,
}

/// List adjustments
///
/// Proposals for members of a unit and everything below it, the latest first. For officers who propose or decide there, and
/// inspectors.
#[utoipa::path(tag = "Adjustments", params(AdjustmentQuery, PageQuery), responses(
    (status = 403, description = "The caller may know of the unit but may not look."),
    (status = 404, description = "There is no such unit, or the caller may not know that there is.")))]
#[get("/point-adjustments")]
pub async fn list_adjustments(
    mut request: ReadRequest<Anyone>,
    query: Query<AdjustmentQuery>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<PointAdjustment>>, Problem> {
    let (Query(query), today) = (query, day_of(request.scope.now));
    require_any_on(&mut request.conn, &request.scope.caller, query.unit_id, READERS, today).await?;
    let before = page.0.after()?;
    let rows = store::of_unit(&mut request.conn, query.unit_id, query.state, today, before, page.0.fetch()).await?;
    request.reply(&page.0.page(rows, |row| row.id, |row| row))
}
