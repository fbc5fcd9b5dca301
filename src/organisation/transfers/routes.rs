//! Transfers over HTTP.

use actix_web::{get, post};
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::extract::{Empty, Query, ReadRequest, Scope, WriteRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::{Created, Reply};
use crate::kernel::ids::new_id;
use crate::kernel::security::access::needs::TransferMembers;
use crate::kernel::security::audit;
use crate::organisation::memberships::{self, lock_member};
use crate::organisation::{OnMember, OnUnit, units};

use super::accept::accept;
use super::due::{WORKING_DAYS, working_days_after};
use super::store::{self, OpenTransfer, Transfer, TransferDecision, TransferProposal};
use super::target::{LeavingMember, OnTransfer, Receiving};

/// The destination of a transfer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferIn {
    /// The receiving cell.
    #[schema(example = "0192f0c1-0000-7000-8000-000000000001")]
    to_unit_id: Uuid,
    /// Why the member moves.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S", example = "Chuyển nơi cư trú")]
    reason: String,
}

/// Propose a transfer
///
/// Proposes that the member move to another cell. Until that cell accepts, within 60 working days, the member belongs to the
/// old one.
#[utoipa::path(tag = "Members", params(("member_id" = Uuid, Path, description = "The member.")), request_body = TransferIn, responses(
    (status = 409, description = "A transfer of this member is open already."),
    (status = 422, description = "The other unit is no cell, or the one the member belongs to.")))]
#[post("/members/{member_id}/transfers")]
pub async fn propose_transfer(
    request: WriteRequest<TransferIn, OnMember<TransferMembers>>,
) -> Result<Created<Transfer>, Problem> {
    request
        .commit(async |conn, scope| {
            let (on, body, today) = (&scope.on, &scope.body, day_of(scope.now));
            units::path(conn, body.to_unit_id, today).await?;
            units::require_cell(conn, body.to_unit_id).await?;
            lock_member(conn, on.member_id).await?;
            require_settled(conn, on.member_id, on.unit_id, body.to_unit_id, today).await?;
            let new = TransferProposal {
                id: new_id(scope.now),
                member_id: on.member_id,
                from_unit_id: on.unit_id,
                to_unit_id: body.to_unit_id,
                reason: body.reason.trim(),
                proposed_by: scope.caller.account_id,
                due_on: working_days_after(today, WORKING_DAYS),
            };
            store::propose(conn, &new, scope.now).await?;
            let event = audit::AuditEvent {
                unit_id: Some(on.unit_id),
                member_id: Some(on.member_id),
                details: json!({"to_unit_id": body.to_unit_id}),
                ..scope.audit("transfer.proposed", "transfer", new.id)
            };
            audit::record(conn, event, scope.now).await?;
            store::get(conn, new.id).await
        })
        .await
}

/// Requires that the member still belongs, without an end, to the cell for which the caller was authorised, and is to
/// leave it.
async fn require_settled(
    conn: &mut Conn,
    member_id: Uuid,
    from: Uuid,
    to: Uuid,
    today: NaiveDate,
) -> Result<(), Problem> {
    if from == to {
        return Err(Problem::with(
            Code::RuleNotMet,
            "Đảng viên đang sinh hoạt ở chính chi bộ này.",
            "The member already belongs to this cell.",
        ));
    }
    memberships::on_day(conn, member_id, today)
        .await?
        .filter(|current| current.unit_id == from && current.valid_to.is_none())
        .map(|_| ())
        .ok_or_else(|| {
            Problem::with(
                Code::Conflict,
                "Đảng viên đã được chuyển sinh hoạt.",
                "The member is already being transferred to another cell.",
            )
        })
}

/// When a transfer takes effect.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptIn {
    /// The first day in the new cell: today, which is the default, or later, up to the due day.
    effective_on: Option<NaiveDate>,
}

/// Accept a transfer
///
/// The old membership ends and the new one begins on `effective_on`; roles on the old cell end with the membership. For
/// officers who decide transfers of the receiving cell, except the proposer and the member.
#[utoipa::path(tag = "Members", params(("transfer_id" = Uuid, Path, description = "The transfer.")), request_body = AcceptIn, responses(
    (status = 409, description = "It was decided already."),
    (status = 422, description = "It is overdue.")))]
#[post("/transfers/{transfer_id}/accept")]
pub async fn accept_transfer(
    request: WriteRequest<AcceptIn, OnTransfer<Receiving>>,
) -> Result<Reply<Transfer>, Problem> {
    request
        .commit(async |conn, scope| {
            let (id, by) = (scope.on.transfer_id, scope.caller.account_id);
            let open = accept(conn, id, scope.body.effective_on, by, scope.now).await?;
            record(conn, scope, id, &open, "transfer.accepted").await?;
            store::get(conn, id).await
        })
        .await
}

/// Why a transfer is declined.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclineIn {
    /// The reason, shown to the old cell.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S", example = "Hồ sơ còn thiếu")]
    note: String,
}

/// Decline a transfer
///
/// The member stays in the old cell. For officers who decide transfers of the receiving cell.
#[utoipa::path(tag = "Members", params(("transfer_id" = Uuid, Path, description = "The transfer.")), request_body = DeclineIn, responses(
    (status = 409, description = "It was decided already.")))]
#[post("/transfers/{transfer_id}/decline")]
pub async fn decline_transfer(
    request: WriteRequest<DeclineIn, OnTransfer<Receiving>>,
) -> Result<Reply<Transfer>, Problem> {
    request
        .commit(async |conn, scope| {
            let id = scope.on.transfer_id;
            let open = store::lock_open(conn, id).await?;
            let decision = TransferDecision {
                state: "declined",
                by: scope.caller.account_id,
                note: Some(scope.body.note.trim()),
                effective_on: None,
            };
            store::decide(conn, id, &decision, scope.now).await?;
            record(conn, scope, id, &open, "transfer.declined").await?;
            store::get(conn, id).await
        })
        .await
}

/// Withdraw a transfer
///
/// Withdraws an open proposal. For officers who decide transfers of the old cell.
#[utoipa::path(tag = "Members", params(("transfer_id" = Uuid, Path, description = "The transfer.")), request_body = Empty, responses(
    (status = 409, description = "It was decided already.")))]
#[post("/transfers/{transfer_id}/withdraw")]
pub async fn withdraw_transfer(
    request: WriteRequest<Empty, OnTransfer<LeavingMember>>,
) -> Result<Reply<Transfer>, Problem> {
    request
        .commit(async |conn, scope| {
            let id = scope.on.transfer_id;
            let open = store::lock_open(conn, id).await?;
            let decision =
                TransferDecision { state: "withdrawn", by: scope.caller.account_id, note: None, effective_on: None };
            store::decide(conn, id, &decision, scope.now).await?;
            record(conn, scope, id, &open, "transfer.withdrawn").await?;
            store::get(conn, id).await
        })
        .await
}

/// List a unit's transfers
///
/// Lists transfers out of and into the unit and everything below it, latest first.
#[utoipa::path(tag = "Members", params(PageQuery, ("unit_id" = Uuid, Path, description = "The unit.")))]
#[get("/units/{unit_id}/transfers")]
pub async fn list_transfers(
    mut request: ReadRequest<OnUnit<TransferMembers>>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<Transfer>>, Problem> {
    let before = page.0.after()?;
    let (unit_id, today) = (request.scope.on.unit_id, day_of(request.scope.now));
    let rows = store::of_unit(&mut request.conn, unit_id, today, before, page.0.fetch()).await?;
    request.reply(&page.0.page(rows, |row| row.id, |row| row))
}

async fn record<B, T>(
    conn: &mut Conn,
    scope: &Scope<B, T>,
    transfer_id: Uuid,
    open: &OpenTransfer,
    action: &'static str,
) -> Result<(), Problem> {
    let event = audit::AuditEvent {
        unit_id: Some(open.from_unit_id),
        member_id: Some(open.member_id),
        details: json!({"to_unit_id": open.to_unit_id}),
        ..scope.audit(action, "transfer", transfer_id)
    };
    audit::record(conn, event, scope.now).await
}
