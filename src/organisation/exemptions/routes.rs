//! Exemptions over HTTP.

use actix_web::web::Data;
use actix_web::{get, post};
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::extract::{Query, ReadRequest, Scope, WriteRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Code, Problem, text};
use crate::kernel::http::reply::{Accepted, Reply};
use crate::kernel::ids::new_id;
use crate::kernel::security::access::needs::{ManageMembers, ReadMember};
use crate::organisation::OnMember;
use crate::organisation::decisions::{self, DecisionOut, Registry};
use crate::organisation::members::record_view;
use crate::organisation::memberships::lock_member;

use super::decide::{self, Proposer};
use super::store::{self, Exemption};
use super::target::OnExemption;

/// The kind of an exemption.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExemptionKind {
    /// From work and meetings, for age or health.
    Exempt,
    /// For a while.
    Excused,
}

impl ExemptionKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Exempt => "exempt",
            Self::Excused => "excused",
        }
    }
}

/// An exemption to be proposed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExemptionIn {
    /// Its kind.
    #[schema(example = "exempt")]
    kind: ExemptionKind,
    /// Its first day.
    #[schema(example = "2026-11-01")]
    valid_from: NaiveDate,
    /// The day after its last; leave it out when it has no end.
    valid_to: Option<NaiveDate>,
    /// The reason.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S", example = "Tuổi cao, sức yếu")]
    reason: String,
}

fn not_oneself(caller: Uuid, member_id: Uuid) -> Result<(), Problem> {
    if caller == member_id {
        return Err(Problem::with(
            Code::Forbidden,
            "Không ai tự quyết định việc miễn sinh hoạt của mình.",
            "An officer cannot decide on their own exemption.",
        ));
    }
    Ok(())
}

/// Propose an exemption
///
/// Takes two officers: the answer is a decision that waits, whose `object_id` is the exemption that it becomes. Once a second
/// officer confirms it, the member counts in no rate and no ranking of the months concerned: exempt, when that holds on the
/// month's last day (today, while it runs); excused, when it covers at least `excuse_days` days of the month, a point parameter, 10
/// by default; two short excuses do not add up. Nobody proposes their own. It touches no month that is closed for the member,
/// unless a superior committee reopens that month; what was proposed before the close and confirmed within 30 days changes the
/// corrected figures, never what was signed.
#[utoipa::path(tag = "Members", params(("member_id" = Uuid, Path, description = "The member.")), request_body = ExemptionIn, responses(
    (status = 403, description = "It is the caller's own, or the caller's decisions rest."),
    (status = 409, description = "One of the same kind covers a part of this time already or is proposed, or a month of it is closed."),
    (status = 422, description = "It begins before the member's cell (`before_unit`).")))]
#[post("/members/{member_id}/exemptions")]
pub async fn create_exemption(
    request: WriteRequest<ExemptionIn, OnMember<ManageMembers>>,
    kinds: Data<Registry>,
) -> Result<Accepted<DecisionOut>, Problem> {
    let kinds = **kinds;
    request
        .commit(async |conn, scope| {
            let (member_id, body) = (scope.on.member_id, &scope.body);
            not_oneself(scope.caller.account_id, member_id)?;
            decisions::require_rested(conn, scope.caller.account_id, scope.now).await?;
            if body.valid_to.is_some_and(|to| to <= body.valid_from) {
                let detail = text("Phải sau ngày bắt đầu.", "Must come after the first day.");
                return Err(Problem::fault("/valid_to", "too_early", detail));
            }
            lock_member(conn, member_id).await?;
            let new = Exemption {
                id: new_id(scope.now),
                member_id,
                kind: body.kind.as_str().to_owned(),
                valid_from: body.valid_from,
                valid_to: body.valid_to,
                reason: body.reason.trim().to_owned(),
                created_at: scope.now,
            };
            let id = decide::propose(conn, &new, scope.on.unit_id, proposer(scope), scope.now).await?;
            decisions::answer(conn, id, kinds, scope.context.language, scope.now).await
        })
        .await
}

fn proposer<B, T>(scope: &Scope<B, T>) -> Proposer<'_> {
    Proposer { officer: &scope.caller, request_id: Some(&scope.context.request_id) }
}

/// List a member's exemptions
///
/// Lists the exemptions by first day, latest first. The access is recorded in the audit log.
#[utoipa::path(tag = "Members", params(PageQuery, ("member_id" = Uuid, Path, description = "The member.")))]
#[get("/members/{member_id}/exemptions")]
pub async fn list_exemptions(
    mut request: ReadRequest<OnMember<ReadMember>>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<Exemption>>, Problem> {
    let before = page.0.after()?;
    record_view(&mut request.conn, &request.scope, json!({"part": "exemptions"})).await?;
    let member_id = request.scope.on.member_id;
    let rows = store::of_member(&mut request.conn, member_id, before, page.0.fetch()).await?;
    request.reply(&page.0.page(rows, |row| (row.valid_from, row.id), |row| row))
}

/// When an exemption ends.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndIn {
    /// The first day on which the member counts again.
    #[schema(example = "2026-12-01")]
    valid_to: NaiveDate,
}

/// Propose the end of an exemption
///
/// Takes two officers: the answer is a decision that waits. Once it is confirmed the record is shorter, never by days of a month
/// that was closed before it was proposed. Nobody ends their own.
#[utoipa::path(tag = "Members", params(("exemption_id" = Uuid, Path, description = "The exemption.")), request_body = EndIn, responses(
    (status = 403, description = "It is the caller's own, or the caller's decisions rest."),
    (status = 409, description = "A month of what would be cut off is closed, or an end of it waits already."),
    (status = 422, description = "The end is not within the exemption.")))]
#[post("/exemptions/{exemption_id}/end")]
pub async fn end_exemption(
    request: WriteRequest<EndIn, OnExemption>,
    kinds: Data<Registry>,
) -> Result<Accepted<DecisionOut>, Problem> {
    let kinds = **kinds;
    request
        .commit(async |conn, scope| {
            let on = &scope.on;
            not_oneself(scope.caller.account_id, on.member_id)?;
            lock_member(conn, on.member_id).await?;
            let end = (on.exemption_id, scope.body.valid_to);
            let id = decide::propose_end(conn, end, on.unit_id, proposer(scope), scope.now).await?;
            decisions::answer(conn, id, kinds, scope.context.language, scope.now).await
        })
        .await
}
