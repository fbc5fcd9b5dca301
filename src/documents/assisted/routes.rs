//! Documents read together, over HTTP.

use actix_web::post;
use actix_web::web::Data;
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::extract::WriteRequest;
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::Accepted;
use crate::kernel::security::access::needs::RecordAttestations;
use crate::kernel::security::audit;
use crate::organisation::OnUnit;
use crate::organisation::decisions::{self, DecisionOut, Registry};

use super::record::{NewAssistedReading, record};

/// A document that members without a device have read together with a helper.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssistedReadingIn {
    /// What was read: a published document that had reached the cell by that day.
    document_id: Uuid,
    /// The day on which it was read: not to come, and of this month or the one before.
    #[schema(example = "2026-11-05")]
    day: NaiveDate,
    /// Those who read it, each once: members of the cell on that day who are marked as without a device.
    #[schema(min_items = 1, max_items = 500, example = json!(["0192f0c1-0000-7000-8000-000000000002"]))]
    member_ids: Vec<Uuid>,
    /// Further remarks.
    #[serde(default)]
    #[schema(max_length = 500, content_media_type = "text/plain", example = "Buổi học chung tại nhà văn hóa")]
    note: String,
}

/// Record a document read together
///
/// For members without a device who studied a document with a helper. It earns nothing until a second officer confirms the decision;
/// then the document is read for each of them, marked as assisted, and they get what the rules give on that day, within the caps of the
/// day. The recorder is not on the list, and no member of it confirms it.
#[utoipa::path(tag = "Documents", params(("unit_id" = Uuid, Path, description = "The cell.")),
    request_body = AssistedReadingIn,
    responses((status = 403, description = "The caller may not record on this cell, or is on the list (`own_interest`)."),
        (status = 409, description = "Too many lists wait for confirmation (`conflict`)."),
        (status = 422, description = "The unit is no cell, it did not have the document, or a member did not belong to it or has a device (`rule_not_met`); see `errors`.")))]
#[post("/units/{unit_id}/assisted-readings")]
pub async fn record_assisted_reading(
    request: WriteRequest<AssistedReadingIn, OnUnit<RecordAttestations>>,
    kinds: Data<Registry>,
) -> Result<Accepted<DecisionOut>, Problem> {
    let kinds = **kinds;
    request
        .commit(async |conn, scope| {
            let body = &scope.body;
            let new = NewAssistedReading {
                unit_id: scope.on.unit_id,
                document_id: body.document_id,
                day: body.day,
                member_ids: &body.member_ids,
                note: body.note.trim(),
            };
            let request_id = Some(scope.context.request_id.as_str());
            let id = record(conn, &new, &scope.caller, request_id, scope.now).await?;
            let event = audit::AuditEvent {
                unit_id: Some(new.unit_id),
                details: json!({"day": new.day, "members": new.member_ids.len()}),
                ..scope.audit("document.reading_recorded", "document", new.document_id)
            };
            audit::record(conn, event, scope.now).await?;
            decisions::answer(conn, id, kinds, scope.context.language, scope.now).await
        })
        .await
}
