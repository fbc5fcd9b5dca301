//! Cover notes over HTTP.

use actix_web::{delete, get, put};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::documents::publishing::{CheckedTexts, unmarked};
use crate::documents::store::{get as get_row, hold};
use crate::kernel::extract::{Empty, ReadRequest, WriteRequest};
use crate::kernel::http::problem::{Problem, text};
use crate::kernel::http::reply::{NoContent, Reply};
use crate::kernel::security::audit;
use crate::kernel::text::many_lines;

use super::store::{self, NewCoverNote};
use super::target::DocumentOfUnit;

/// What a unit says about a document to its own members.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DocumentCoverNote)]
pub struct CoverNote {
    /// The document.
    document_id: Uuid,
    /// The unit.
    unit_id: Uuid,
    /// The last day on which its members should read the document; null when the unit asks for none of its own.
    must_read_by: Option<NaiveDate>,
    /// What it says; may be empty.
    #[schema(max_length = 2000, example = "Đọc kỹ Điều 2 trước kỳ sinh hoạt ngày 5.")]
    text: String,
    /// When it was written.
    written_at: DateTime<Utc>,
}

/// A note to be written: a day, a text, or both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DocumentCoverNoteIn)]
pub struct CoverNoteIn {
    /// The last day on which the unit's members should read the document: not over, and not later than that of the document.
    #[schema(nullable = false, example = "2026-12-05")]
    must_read_by: Option<NaiveDate>,
    /// What the unit adds.
    #[serde(default)]
    #[schema(
        max_length = 2000,
        content_media_type = "text/plain",
        example = "Đọc kỹ Điều 2 trước kỳ sinh hoạt ngày 5."
    )]
    text: String,
}

/// Get a unit's cover note on a document
///
/// For those who may write it: secretaries, and officers who publish on the unit. Members see the notes of their own units with the
/// document itself.
#[utoipa::path(tag = "Documents", params(("unit_id" = Uuid, Path, description = "The unit."),
        ("document_id" = Uuid, Path, description = "A document that reaches the unit.")))]
#[get("/units/{unit_id}/documents/{document_id}/cover-note")]
pub async fn get_cover_note(mut request: ReadRequest<DocumentOfUnit>) -> Result<Reply<CoverNote>, Problem> {
    let (unit_id, document_id) = (request.scope.on.unit_id, request.scope.on.row.id);
    let note = store::get(&mut request.conn, document_id, unit_id).await?;
    request.reply(&show((document_id, unit_id), note))
}

fn show((document_id, unit_id): (Uuid, Uuid), note: store::StoredCoverNote) -> CoverNote {
    CoverNote { document_id, unit_id, must_read_by: note.must_read_by, text: note.text, written_at: note.written_at }
}

/// Write a unit's cover note on a document
///
/// Adds an earlier last day, or one where the document sets none, and a text for the members of the unit and everything below it: they
/// see it with the document, on their phones too, and the day counts in the readings of the unit. Written again, it replaces the one
/// before. It earns nothing and ends with the document. A text with a secrecy marking is refused.
#[utoipa::path(tag = "Documents", params(("unit_id" = Uuid, Path, description = "The unit."),
        ("document_id" = Uuid, Path, description = "A document that reaches the unit.")),
    request_body = CoverNoteIn,
    responses((status = 422, description = "The text carries a secrecy marking (`secret_marking`).")))]
#[put("/units/{unit_id}/documents/{document_id}/cover-note")]
pub async fn set_cover_note(request: WriteRequest<CoverNoteIn, DocumentOfUnit>) -> Result<Reply<CoverNote>, Problem> {
    request
        .commit(async |conn, scope| {
            let (unit_id, id) = (scope.on.unit_id, scope.on.row.id);
            hold(conn, id).await?;
            let row = get_row(conn, id).await?;
            if !row.is_out() {
                return Err(Problem::not_found());
            }
            let note = many_lines(&scope.body.text);
            if note.is_empty() && scope.body.must_read_by.is_none() {
                let detail = text("Cần có hạn đọc hoặc lời dặn.", "A note needs a day or a text.");
                return Err(Problem::fault("/text", "required", detail));
            }
            unmarked(&CheckedTexts { symbol: "", title: "", summary: &note, body: "", topics: &[] })?;
            let new = NewCoverNote {
                document_id: row.id,
                unit_id,
                must_read_by: scope.body.must_read_by,
                text: &note,
                by: scope.caller.account_id,
            };
            store::write(conn, new, row.must_read_by, scope.now).await?;
            let event = audit::AuditEvent {
                unit_id: Some(unit_id),
                details: json!({"must_read_by": new.must_read_by}),
                ..scope.audit("document.cover_note_written", "document", row.id)
            };
            audit::record(conn, event, scope.now).await?;
            Ok(show((row.id, unit_id), store::get(conn, row.id, unit_id).await?))
        })
        .await
}

/// Remove a unit's cover note on a document
///
/// From then on the day of the document itself holds. 404 when the unit has no note on it.
#[utoipa::path(tag = "Documents", params(("unit_id" = Uuid, Path, description = "The unit."),
        ("document_id" = Uuid, Path, description = "A document that reaches the unit.")))]
#[delete("/units/{unit_id}/documents/{document_id}/cover-note")]
pub async fn remove_cover_note(request: WriteRequest<Empty, DocumentOfUnit>) -> Result<NoContent, Problem> {
    request
        .commit(async |conn, scope| {
            let (unit_id, document_id) = (scope.on.unit_id, scope.on.row.id);
            store::remove(conn, (document_id, unit_id), scope.caller.account_id, scope.now).await?;
            let event = audit::AuditEvent {
                unit_id: Some(unit_id),
                ..scope.audit("document.cover_note_removed", "document", document_id)
            };
            audit::record(conn, event, scope.now).await
        })
        .await
}
