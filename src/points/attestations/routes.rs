//! Attestations over HTTP.

use actix_web::web::Data;
use actix_web::{get, post};
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::extract::{Anyone, Empty, Query, ReadRequest, Scope, WriteRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::{Created, Reply};
use crate::kernel::security::access::Permission;
use crate::kernel::security::access::needs::{ConfirmAttestations, RecordAttestations};
use crate::kernel::security::audit;
use crate::organisation::decisions::{self, Act, DecisionKind, Registry};
use crate::organisation::units;
use crate::points::officers::require_any_on;

use super::decide::ATTESTATION;
use super::model::{AttestationKind, AttestationState};
use super::record::{NewAttestation, record};
use super::store::{self, Attestation, AttestationDetail};
use super::target::{OnAttestation, READERS, ReadableAttestation};

/// A list to be recorded.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttestationIn {
    /// The cell.
    #[schema(example = "0192f0c1-0000-7000-8000-000000000001")]
    unit_id: Uuid,
    /// What is attested.
    #[schema(example = "meeting_attended")]
    kind: AttestationKind,
    /// The day on which it happened: not to come, and of this month or the one before.
    #[schema(example = "2026-11-05")]
    day: NaiveDate,
    /// Which meeting, or what was done. Two lists of opinions of one cell and day about the same are one opinion.
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", example = "Sinh hoạt thường kỳ tháng 11")]
    subject: String,
    /// Those who attended, contributed or were helped; each once, members of the cell on that day.
    #[schema(min_items = 1, max_items = 500, example = json!(["0192f0c1-0000-7000-8000-000000000002"]))]
    member_ids: Vec<Uuid>,
    /// Further remarks.
    #[schema(max_length = 500)]
    note: Option<String>,
}

/// Record an attestation
///
/// Records who attended a meeting of a cell, contributed an opinion or studied together with a helper. It earns nothing until
/// a second officer confirms it. A cell has one regular meeting a month: further lists of it, for those who were left out or
/// whom another officer has to confirm, name the same day. The recorder may be on the list of a meeting, not on the others.
#[utoipa::path(tag = "Attestations", request_body = AttestationIn, responses(
    (status = 403, description = "The caller may not record on this cell, or not themselves (`own_interest`)."),
    (status = 404, description = "There is no such unit, or the caller may not know that there is."),
    (status = 409, description = "The regular meeting of the month was another day, or too many lists wait."),
    (status = 422, description = "The unit is no cell, or a member did not belong to it on the day; see `errors`.")))]
#[post("/attestations")]
pub async fn record_attestation(
    request: WriteRequest<AttestationIn, Anyone>,
) -> Result<Created<AttestationDetail>, Problem> {
    request
        .commit(async |conn, scope| {
            let body = &scope.body;
            let path = units::path(conn, body.unit_id, day_of(scope.now)).await?;
            scope.caller.require(&path, Permission::RecordAttestations)?;
            let new = NewAttestation {
                unit_id: body.unit_id,
                kind: body.kind,
                day: body.day,
                subject: body.subject.trim(),
                note: body.note.as_deref().map(str::trim).filter(|note| !note.is_empty()),
                member_ids: &body.member_ids,
            };
            let request_id = Some(scope.context.request_id.as_str());
            let id = record(conn, &new, &scope.caller, request_id, scope.now).await?;
            let details = json!({"kind": body.kind, "day": body.day, "members": body.member_ids.len()});
            trace(conn, scope, id, body.unit_id, "attestation.recorded", details).await?;
            store::get(conn, id).await
        })
        .await
}

/// Confirm an attestation
///
/// Gives each member on the list what the rules in force on the day give, and says for each what came of it. For officers
/// who confirm on the cell, except the recorder and those on the list; it is one of the decisions of the unit, where fifty
/// are confirmed at once. Entries for a month that was closed are late
/// corrections.
#[utoipa::path(tag = "Attestations", params(("attestation_id" = Uuid, Path, description = "The attestation.")), request_body = Empty,
    responses((status = 403, description = "The caller may not be the second officer of this (`second_officer_required`, `own_interest`, `decisions_rest`)."),
    (status = 409, description = "It was decided already."),
    (status = 422, description = "It has waited for too long.")))]
#[post("/attestations/{attestation_id}/confirmation")]
pub async fn confirm_attestation(
    request: WriteRequest<Empty, OnAttestation<ConfirmAttestations>>,
    kinds: Data<Registry>,
) -> Result<Reply<AttestationDetail>, Problem> {
    let kinds = **kinds;
    request
        .commit(async |conn, scope| {
            let id = scope.on.attestation_id;
            let decision_id = decision_of(conn, id).await?;
            decisions::confirm(conn, decision_id, &Act::of(scope, kinds)).await?;
            store::get(conn, id).await
        })
        .await
}

/// Why an attestation is declined.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttestationDeclineIn {
    /// What the recorder should know; those on the list see it too.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S", example = "Danh sách thiếu chữ ký")]
    reason: String,
}

/// Decline an attestation
///
/// Nobody gets points by it; a corrected list can be recorded. For officers who could confirm it.
#[utoipa::path(tag = "Attestations", params(("attestation_id" = Uuid, Path, description = "The attestation.")),
    request_body = AttestationDeclineIn, responses((status = 403, description = "The caller may not be the second officer of this (`second_officer_required`, `own_interest`, `decisions_rest`)."),
    (status = 409, description = "It was decided already.")))]
#[post("/attestations/{attestation_id}/decline")]
pub async fn decline_attestation(
    request: WriteRequest<AttestationDeclineIn, OnAttestation<ConfirmAttestations>>,
    kinds: Data<Registry>,
) -> Result<Reply<AttestationDetail>, Problem> {
    let kinds = **kinds;
    request
        .commit(async |conn, scope| {
            let id = scope.on.attestation_id;
            let decision_id = decision_of(conn, id).await?;
            decisions::decline(conn, decision_id, &Act::of(scope, kinds), scope.body.reason.trim()).await?;
            store::get(conn, id).await
        })
        .await
}

/// Withdraw an attestation
///
/// The recorder withdraws the list before it is confirmed.
#[utoipa::path(tag = "Attestations", params(("attestation_id" = Uuid, Path, description = "The attestation.")), request_body = Empty,
    responses(
    (status = 409, description = "It was decided already.")))]
#[post("/attestations/{attestation_id}/withdrawal")]
pub async fn withdraw_attestation(
    request: WriteRequest<Empty, OnAttestation<RecordAttestations>>,
    kinds: Data<Registry>,
) -> Result<Reply<AttestationDetail>, Problem> {
    let kinds = **kinds;
    request
        .commit(async |conn, scope| {
            let id = scope.on.attestation_id;
            let decision_id = decision_of(conn, id).await?;
            decisions::withdraw(conn, decision_id, &Act::of(scope, kinds)).await?;
            store::get(conn, id).await
        })
        .await
}

/// The decision that a list waits for, or waited for.
async fn decision_of(conn: &mut Conn, id: Uuid) -> Result<Uuid, Problem> {
    let decision = decisions::last_of(conn, ATTESTATION.code(), id).await?;
    Ok(decision.ok_or_else(|| Problem::internal("a list without its decision"))?.id)
}

/// Get an attestation
///
/// With the members on it, and what each got once it is confirmed. For officers who record or confirm on the cell, and
/// inspectors.
#[utoipa::path(tag = "Attestations", params(("attestation_id" = Uuid, Path, description = "The attestation.")))]
#[get("/attestations/{attestation_id}")]
pub async fn get_attestation(
    mut request: ReadRequest<ReadableAttestation>,
) -> Result<Reply<AttestationDetail>, Problem> {
    let id = request.scope.on.attestation_id;
    let found = store::get(&mut request.conn, id).await?;
    request.reply(&found)
}

/// Filter of the list of attestations.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AttestationQuery {
    /// The unit, with everything below it.
    unit_id: Uuid,
    /// Only attestations in this state; all when left out.
    #[param(inline, nullable = false)]
    state: Option<AttestationState>,
}

/// List attestations
///
/// Of a unit and everything below it, or below it until it ended, the latest first. For officers who record or confirm there,
/// and inspectors.
#[utoipa::path(tag = "Attestations", params(AttestationQuery, PageQuery), responses(
    (status = 403, description = "The caller may know of the unit but may not look."),
    (status = 404, description = "There is no such unit, or the caller may not know that there is.")))]
#[get("/attestations")]
pub async fn list_attestations(
    mut request: ReadRequest<Anyone>,
    query: Query<AttestationQuery>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<Attestation>>, Problem> {
    let (Query(query), today) = (query, day_of(request.scope.now));
    require_any_on(&mut request.conn, &request.scope.caller, query.unit_id, READERS, today).await?;
    let before = page.0.after()?;
    let rows = store::of_unit(&mut request.conn, query.unit_id, query.state, today, before, page.0.fetch()).await?;
    request.reply(&page.0.page(rows, |row| row.id, |row| row))
}

async fn trace<B, T>(
    conn: &mut Conn,
    scope: &Scope<B, T>,
    id: Uuid,
    unit_id: Uuid,
    action: &'static str,
    details: Value,
) -> Result<(), Problem> {
    let event = audit::AuditEvent { unit_id: Some(unit_id), details, ..scope.audit(action, "attestation", id) };
    audit::record(conn, event, scope.now).await
}
