//! Exemptions over HTTP.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, post};
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::access::needs::{ManageMembers, ReadMember};
use crate::kernel::audit;
use crate::kernel::call::{Ask, Call, Query};
use crate::kernel::ids::new_id;
use crate::kernel::page::{Page, PageQuery};
use crate::kernel::problem::{Code, Problem, text};
use crate::organisation::OnMember;
use crate::organisation::members::record_view;
use crate::organisation::memberships::lock_member;

use super::store::{self, Exemption};
use super::target::OnExemption;

/// What a member is freed of.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExemptionKind {
    /// From work and meetings, for age or health.
    Exempt,
    /// For a while.
    Excused,
}

/// An exemption to be recorded.
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
    /// Why.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S", example = "Tuổi cao, sức yếu")]
    reason: String,
}

fn not_oneself(caller: Uuid, member_id: Uuid) -> Result<(), Problem> {
    if caller == member_id {
        return Err(Problem::with(
            Code::Forbidden,
            "Không ai tự quyết định việc miễn sinh hoạt của mình.",
            "Nobody decides on their own exemption.",
        ));
    }
    Ok(())
}

/// Record an exemption
///
/// While it lasts the member counts in no rate and no ranking. Nobody records their own. It touches no month that is closed
/// for the member, unless a superior committee reopens that month.
#[utoipa::path(tag = "Members", params(("member_id" = Uuid, Path, description = "The member.")), request_body = ExemptionIn, responses(
    (status = 201, description = "The exemption.", body = Exemption),
    (status = 409, description = "One of the same kind covers a part of this time already, or a month of it is closed."),
    (status = 422, description = "It begins before the member's cell (`before_unit`).")))]
#[post("/members/{member_id}/exemptions")]
pub async fn create_exemption(call: Call<ExemptionIn, OnMember<ManageMembers>>) -> Result<HttpResponse, Problem> {
    call.commit(StatusCode::CREATED, async |conn, scope| {
        let (member_id, body) = (scope.on.member_id, &scope.body);
        not_oneself(scope.caller.account_id, member_id)?;
        if body.valid_to.is_some_and(|to| to <= body.valid_from) {
            let detail = text("Phải sau ngày bắt đầu.", "Must come after the first day.");
            return Err(Problem::fault("/valid_to", "too_early", detail));
        }
        lock_member(conn, member_id).await?;
        let new = Exemption {
            id: new_id(scope.now),
            member_id,
            kind: match body.kind {
                ExemptionKind::Exempt => "exempt".to_owned(),
                ExemptionKind::Excused => "excused".to_owned(),
            },
            valid_from: body.valid_from,
            valid_to: body.valid_to,
            reason: body.reason.trim().to_owned(),
            created_at: scope.now,
        };
        store::create(conn, &new, scope.caller.account_id).await?;
        let event = audit::Event {
            unit_id: Some(scope.on.unit_id),
            member_id: Some(member_id),
            details: json!({"kind": new.kind, "valid_from": new.valid_from, "valid_to": new.valid_to}),
            ..scope.audit("exemption.recorded", "exemption", new.id)
        };
        audit::record(conn, event, scope.now).await?;
        Ok(new)
    })
    .await
}

/// List a member's exemptions
///
/// The one that began last comes first. Looking is recorded in the audit log.
#[utoipa::path(tag = "Members", params(PageQuery, ("member_id" = Uuid, Path, description = "The member.")),
    responses((status = 200, description = "A page of exemptions.", body = Page<Exemption>)))]
#[get("/members/{member_id}/exemptions")]
pub async fn list_exemptions(
    mut ask: Ask<OnMember<ReadMember>>,
    page: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let before = page.0.after()?;
    record_view(&mut ask.conn, &ask.scope, json!({"part": "exemptions"})).await?;
    let member_id = ask.scope.on.member_id;
    let rows = store::of_member(&mut ask.conn, member_id, before, page.0.fetch()).await?;
    ask.reply(&page.0.page(rows, |row| (row.valid_from, row.id), |row| row))
}

/// When an exemption ends.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndIn {
    /// The first day on which the member counts again.
    #[schema(example = "2026-12-01")]
    valid_to: NaiveDate,
}

/// End an exemption
///
/// The record stays; it only becomes shorter, and never by days of a month that is closed for the member. Nobody ends their
/// own.
#[utoipa::path(tag = "Members", params(("exemption_id" = Uuid, Path, description = "The exemption.")), request_body = EndIn, responses(
    (status = 200, description = "The exemption.", body = Exemption),
    (status = 409, description = "A month of what would be cut off is closed."),
    (status = 422, description = "The end is not within the exemption.")))]
#[post("/exemptions/{exemption_id}/end")]
pub async fn end_exemption(call: Call<EndIn, OnExemption>) -> Result<HttpResponse, Problem> {
    call.commit(StatusCode::OK, async |conn, scope| {
        let on = &scope.on;
        not_oneself(scope.caller.account_id, on.member_id)?;
        lock_member(conn, on.member_id).await?;
        store::end(conn, on.exemption_id, scope.body.valid_to).await?;
        let event = audit::Event {
            unit_id: Some(on.unit_id),
            member_id: Some(on.member_id),
            details: json!({"valid_to": scope.body.valid_to}),
            ..scope.audit("exemption.ended", "exemption", on.exemption_id)
        };
        audit::record(conn, event, scope.now).await?;
        store::get(conn, on.exemption_id).await
    })
    .await
}
