//! Decisions over HTTP: a unit's inbox, and the acts of its officers on it.

use actix_web::{get, post};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::kernel::extract::{Empty, Query, ReadRequest, WriteRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Problem, text};
use crate::kernel::http::reply::Reply;

use super::batch::{ConfirmationResults, ConfirmationsIn, confirm_all};
use super::model::DecisionState;
use super::output::{DecisionOut, answer, show};
use super::store::{self, DecisionFilter};
use super::target::{OnDecision, OnInbox};
use super::workflow::{Act, confirm, decline, withdraw};

/// Which decisions are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DecisionQuery {
    /// Only decisions in this state; `waiting` by default.
    #[param(inline, nullable = false)]
    state: Option<DecisionState>,
    /// Only decisions of this kind.
    #[param(max_length = 60, pattern = "^[a-z_]+$", nullable = false)]
    kind: Option<String>,
}

/// List a unit's decisions
///
/// Lists the inbox of a unit and everything below it, latest first: what waits for a second officer, unless another
/// `state` is requested. Callers see the kinds that they propose or decide there; inspectors see all. The caller's own
/// proposals, and decisions that concern the caller, are listed too and cannot be confirmed by them.
#[utoipa::path(tag = "Decisions", params(PageQuery, DecisionQuery, ("unit_id" = Uuid, Path, description = "The unit.")))]
#[get("/units/{unit_id}/decisions")]
pub async fn list_decisions(
    mut request: ReadRequest<OnInbox>,
    page: Query<PageQuery>,
    query: Query<DecisionQuery>,
) -> Result<Reply<Page<DecisionOut>>, Problem> {
    let (on, now, language) = (&request.scope.on, request.scope.now, request.scope.context.language);
    let mut kinds = on.readable.clone();
    if let Some(kind) = &query.0.kind {
        kinds.retain(|readable| readable == kind);
    }
    let wanted = DecisionFilter {
        unit_id: on.unit_id,
        kinds,
        state: query.0.state.unwrap_or(DecisionState::Waiting),
        before: page.0.after()?,
        fetch: page.0.fetch(),
    };
    let registry = on.kinds;
    let rows = store::of_unit(&mut request.conn, &wanted, now).await?;
    let shown: Result<Vec<DecisionOut>, Problem> = rows.into_iter().map(|row| show(row, registry, language)).collect();
    request.reply(&page.0.page(shown?, |row| row.id, |row| row))
}

/// Get a decision
///
/// Returns one decision. For officers who propose or decide this kind on its unit, its proposer, and inspectors.
#[utoipa::path(tag = "Decisions", params(("decision_id" = Uuid, Path, description = "The decision.")))]
#[get("/decisions/{decision_id}")]
pub async fn get_decision(mut request: ReadRequest<OnDecision>) -> Result<Reply<DecisionOut>, Problem> {
    let (id, kinds) = (request.scope.on.decision_id, request.scope.on.kinds);
    let (language, now) = (request.scope.context.language, request.scope.now);
    let found = answer(&mut request.conn, id, kinds, language, now).await?;
    request.reply(&found)
}

/// Confirm a decision
///
/// What was proposed holds from now on, all of it or nothing. The second officer is neither the proposer nor a person at stake.
/// Refused are two officers of whom one alone issued the other's activation slip, or whose slips one third person issued alone,
/// and an officer who redeemed such a slip within the last 72 hours (`decisions_rest`). The proposer's right is checked again.
#[utoipa::path(tag = "Decisions", params(("decision_id" = Uuid, Path, description = "The decision.")), request_body = Empty,
    responses(
    (status = 403, description = "The caller may not be the second officer of this decision."),
    (status = 409, description = "It was decided already, or the proposal is no longer possible."),
    (status = 410, description = "It has expired."),
    (status = 422, description = "A rule of the organisation is not met.")))]
#[post("/decisions/{decision_id}/confirmation")]
pub async fn confirm_decision(request: WriteRequest<Empty, OnDecision>) -> Result<Reply<DecisionOut>, Problem> {
    request
        .commit(async |conn, scope| {
            let (id, kinds) = (scope.on.decision_id, scope.on.kinds);
            confirm(conn, id, &Act::of(scope, kinds)).await?;
            answer(conn, id, kinds, scope.context.language, scope.now).await
        })
        .await
}

/// Why a decision is declined.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionRefusalIn {
    /// The reason, shown to the proposer.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S", example = "Chưa có nghị quyết của chi bộ")]
    reason: String,
}

/// Refuse a decision
///
/// Ends the proposal without effect; the proposer is notified of the reason. For officers who could confirm it.
#[utoipa::path(tag = "Decisions", params(("decision_id" = Uuid, Path, description = "The decision.")),
    request_body = DecisionRefusalIn, responses(
    (status = 403, description = "The caller may not be the second officer of this decision."),
    (status = 409, description = "It was decided already."),
    (status = 410, description = "It has expired.")))]
#[post("/decisions/{decision_id}/refusal")]
pub async fn refuse_decision(
    request: WriteRequest<DecisionRefusalIn, OnDecision>,
) -> Result<Reply<DecisionOut>, Problem> {
    request
        .commit(async |conn, scope| {
            let (id, kinds) = (scope.on.decision_id, scope.on.kinds);
            decline(conn, id, &Act::of(scope, kinds), scope.body.reason.trim()).await?;
            answer(conn, id, kinds, scope.context.language, scope.now).await
        })
        .await
}

/// Withdraw a decision
///
/// Withdraws a proposal before it is decided. For its proposer.
#[utoipa::path(tag = "Decisions", params(("decision_id" = Uuid, Path, description = "The decision.")), request_body = Empty,
    responses(
    (status = 409, description = "It was decided already."),
    (status = 410, description = "It has expired.")))]
#[post("/decisions/{decision_id}/withdrawal")]
pub async fn withdraw_decision(request: WriteRequest<Empty, OnDecision>) -> Result<Reply<DecisionOut>, Problem> {
    request
        .commit(async |conn, scope| {
            let (id, kinds) = (scope.on.decision_id, scope.on.kinds);
            withdraw(conn, id, &Act::of(scope, kinds)).await?;
            answer(conn, id, kinds, scope.context.language, scope.now).await
        })
        .await
}

/// Confirm many decisions
///
/// Confirms up to fifty decisions of the unit and the units below it, each as if it were confirmed alone: one that
/// fails does not undo the others, and its result says why.
#[utoipa::path(tag = "Decisions", params(("unit_id" = Uuid, Path, description = "The unit.")),
    request_body = ConfirmationsIn)]
#[post("/units/{unit_id}/decisions/confirmations")]
pub async fn confirm_decisions(
    request: WriteRequest<ConfirmationsIn, OnInbox>,
) -> Result<Reply<ConfirmationResults>, Problem> {
    let mut ids = request.body.decision_ids.clone();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() < request.body.decision_ids.len() {
        let detail = text("Mỗi việc chỉ nêu một lần.", "Name each decision once.");
        return Err(Problem::fault("/decision_ids", "duplicate", detail));
    }
    request
        .commit(async |conn, scope| {
            let act = Act::of(scope, scope.on.kinds);
            let (unit_id, ids) = (scope.on.unit_id, &scope.body.decision_ids);
            confirm_all(conn, unit_id, ids, &act, scope.context.language).await
        })
        .await
}
