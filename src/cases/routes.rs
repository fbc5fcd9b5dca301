//! Cases over HTTP, for inspectors.

use actix_web::{get, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::kernel::extract::{Query, ReadRequest, WriteRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Code, Language, Problem};
use crate::kernel::http::reply::Reply;
use crate::kernel::outbox;
use crate::kernel::security::access::needs::{DecideCases, ReadCases};
use crate::kernel::security::audit;
use crate::organisation::OnUnitOfQuery;

use super::model::{CaseKind, CaseOutcome, CaseState, title};
use super::store::{self, CaseRow};
use super::target::OnCase;

/// Names shown per case; the evidence says how many members it concerns.
const MAX_SUBJECTS: i64 = 100;

/// An unusual pattern that a person reviews.
#[derive(Debug, Serialize, ToSchema)]
pub struct Case {
    /// Identifier.
    id: Uuid,
    /// The pattern that was found.
    #[schema(value_type = CaseKind)]
    kind: String,
    /// The pattern in words, in the language of the request.
    #[schema(max_length = 200, example = "Nhiều tài khoản lần lượt đăng nhập trên cùng một thiết bị")]
    title: String,
    /// The unit whose inspectors decide the case: the nearest one to which all members concerned belong.
    unit_id: Uuid,
    /// Its name.
    #[schema(max_length = 200, example = "Đảng bộ phường Bình Minh")]
    unit_name: String,
    /// The evidence. For `regularity`: `rule`, `days`, `first_day`, `last_day`, `time_of_day`, `seconds_apart`; for
    /// `shared_device`: `accounts`, `sign_ins`, `first_at`, `last_at`; for `slips_in_a_row`: `accounts`, `slips`,
    /// `first_at`, `last_at`; of `repeated_document`: `document_id`, `same_ids`; of `slip_after_reveal`: `accounts`, `looks`,
    /// `first_at`, `last_at`.
    #[schema(value_type = Object)]
    evidence: Value,
    /// When it was opened.
    opened_at: DateTime<Utc>,
    /// Open or decided.
    #[schema(value_type = CaseState)]
    state: String,
    /// The outcome; null while the case is open.
    #[schema(value_type = Option<CaseOutcome>)]
    outcome: Option<String>,
    /// The reason for the outcome; null while the case is open.
    #[schema(max_length = 2000, example = "Đồng chí nhờ con cài báo thức.")]
    reason: Option<String>,
    /// When it was decided.
    decided_at: Option<DateTime<Utc>>,
}

fn show(row: CaseRow, language: Language) -> Case {
    Case {
        id: row.id,
        title: language.pick(&title(&row.kind)).to_owned(),
        kind: row.kind,
        unit_id: row.unit_id,
        unit_name: row.unit_name,
        evidence: row.evidence,
        opened_at: row.opened_at,
        state: row.state,
        outcome: row.outcome,
        reason: row.reason,
        decided_at: row.decided_at,
    }
}

/// Which cases are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CaseQuery {
    /// The unit; cases of all units below it are listed too.
    unit_id: Uuid,
    /// Only those that are open, or only those that are decided.
    #[param(inline, nullable = false)]
    state: Option<CaseState>,
}

/// List cases
///
/// Lists cases of a unit and of all units below it, or below it until they ended, latest first. For inspectors.
#[utoipa::path(tag = "Cases", params(PageQuery, CaseQuery), responses(
    (status = 403, description = "The caller may not read the cases there."),
    (status = 404, description = "There is no such unit, or the caller may not know that there is.")))]
#[get("/cases")]
pub async fn list_cases(
    mut request: ReadRequest<OnUnitOfQuery<ReadCases>>,
    page: Query<PageQuery>,
    query: Query<CaseQuery>,
) -> Result<Reply<Page<Case>>, Problem> {
    let (before, now, language) = (page.0.after()?, request.scope.now, request.scope.context.language);
    let (unit_id, state) = (query.0.unit_id, query.0.state.map(CaseState::as_str));
    let rows = store::of_unit(&mut request.conn, unit_id, state, before, page.0.fetch(), now).await?;
    request.reply(&page.0.page(rows, |row| row.id, |row| show(row, language)))
}

/// A member whom a case concerns.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseMember {
    /// The member.
    id: Uuid,
    /// Full name.
    #[schema(max_length = 100, example = "Nguyễn Văn An")]
    full_name: String,
}

/// A case with the members it concerns.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseDetail {
    /// The case.
    case: Case,
    /// The members it concerns, at most 100.
    #[schema(max_items = 100)]
    members: Vec<CaseMember>,
}

/// Get a case
///
/// Returns the case with the members it concerns. For inspectors; each of those members sees the access in their access
/// log.
#[utoipa::path(tag = "Cases", params(("case_id" = Uuid, Path, description = "The case.")))]
#[get("/cases/{case_id}")]
pub async fn get_case(mut request: ReadRequest<OnCase<ReadCases>>) -> Result<Reply<CaseDetail>, Problem> {
    let (id, unit_id) = (request.scope.on.case_id, request.scope.on.unit_id);
    let row = store::get(&mut request.conn, id).await?;
    let names = store::names_of(&mut request.conn, id, MAX_SUBJECTS).await?;
    let looks = names.iter().map(|(member_id, _)| audit::AuditEvent {
        unit_id: Some(unit_id),
        member_id: Some(*member_id),
        ..request.scope.audit("case.viewed", "case", id)
    });
    audit::record_all(&mut request.conn, looks.collect(), request.scope.now).await?;
    let members = names.into_iter().map(|(id, full_name)| CaseMember { id, full_name }).collect();
    request.reply(&CaseDetail { case: show(row, request.scope.context.language), members })
}

/// The decision on a case.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseDecisionIn {
    /// The outcome.
    #[schema(example = "no_action")]
    outcome: CaseOutcome,
    /// The reason, in words that all members concerned may read.
    #[schema(
        min_length = 1,
        max_length = 2000,
        content_media_type = "text/plain",
        pattern = r"\S",
        example = "Đồng chí nhờ con cài báo thức."
    )]
    reason: String,
}

/// Decide a case
///
/// Decides the case, with a reason that the members concerned can read; they are notified. For inspectors whom the case
/// does not concern. Points stay unchanged: corrections are made by an adjustment that two officers decide.
#[utoipa::path(tag = "Cases", params(("case_id" = Uuid, Path, description = "The case.")), request_body = CaseDecisionIn, responses(
    (status = 403, description = "The case concerns the caller."),
    (status = 409, description = "It was decided already.")))]
#[post("/cases/{case_id}/decision")]
pub async fn decide_case(request: WriteRequest<CaseDecisionIn, OnCase<DecideCases>>) -> Result<Reply<Case>, Problem> {
    request
        .commit(async |conn, scope| {
            let (on, body, by) = (&scope.on, &scope.body, scope.caller.account_id);
            store::decide(conn, on.case_id, (body.outcome, body.reason.trim()), by, scope.now).await?;
            let concerned = store::members_of(conn, on.case_id).await?;
            if on.subject == by || concerned.contains(&by) {
                return Err(Problem::with(
                    Code::Forbidden,
                    "Không ai kết luận vụ việc liên quan đến chính mình.",
                    "An inspector cannot decide a case that concerns them.",
                ));
            }
            let event = audit::AuditEvent {
                unit_id: Some(on.unit_id),
                member_id: concerned.iter().copied().find(|member| *member == on.subject),
                details: json!({"outcome": body.outcome}),
                ..scope.audit("case.decided", "case", on.case_id)
            };
            audit::record(conn, event, scope.now).await?;
            outbox::tell(conn, "case_decided", &concerned, &json!({"case_id": on.case_id}), scope.now).await?;
            Ok(show(store::get(conn, on.case_id).await?, scope.context.language))
        })
        .await
}
