//! Versions over HTTP.

use actix_web::{get, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::documents::publishing::{CheckedTexts, unmarked};
use crate::documents::store::{PUBLISHED, body, lock};
use crate::documents::targets::{OnDocument, Readable};
use crate::kernel::extract::{Query, ReadRequest, WriteRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::{Created, Reply};
use crate::kernel::security::access::needs::PublishDocuments;
use crate::kernel::security::audit;

use super::store::{self, NewVersion, StoredVersion};

/// A version of a document.
#[derive(Debug, Serialize, ToSchema)]
pub struct DocumentVersion {
    /// Its number; the first one is 1.
    #[schema(minimum = 1, maximum = 1_000_000, example = 2)]
    version: i32,
    /// What was corrected.
    #[schema(max_length = 1000, example = "Sửa thời gian sinh hoạt ở Điều 2.")]
    note: String,
    /// `draft`, `in_review`, `scheduled` or `published`.
    #[schema(max_length = 20, pattern = "^[a-z_]+$", example = "draft")]
    state: String,
    /// When it will be published, if that is planned.
    publish_at: Option<DateTime<Utc>>,
    /// When it was written.
    created_at: DateTime<Utc>,
    /// When it was published.
    published_at: Option<DateTime<Utc>>,
}

impl From<StoredVersion> for DocumentVersion {
    fn from(version: StoredVersion) -> Self {
        Self {
            version: version.number,
            note: version.note,
            state: version.state,
            publish_at: version.publish_at,
            created_at: version.created_at,
            published_at: version.published_at,
        }
    }
}

/// A version to be written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VersionIn {
    /// What is corrected, shown to readers of the version before.
    #[schema(
        min_length = 1,
        max_length = 1000,
        content_media_type = "text/plain",
        pattern = r"\S",
        example = "Sửa thời gian sinh hoạt ở Điều 2."
    )]
    note: String,
    /// The new text; leave it out when only files change.
    #[schema(
        max_length = 200_000,
        content_media_type = "text/plain",
        nullable = false,
        example = "Điều 1. Các chi bộ sinh hoạt chuyên đề trong quý IV."
    )]
    text: Option<String>,
}

/// Write a new version
///
/// A draft of the next version of a published document. Files added from now on belong to it; members see the present version until
/// the new one is published. When it has files of its own, they take the place of the present ones. Those who had opened
/// the document are told; what was read stays credited to the document. While a draft is there, it is written anew.
#[utoipa::path(tag = "Documents", params(("document_id" = Uuid, Path, description = "The document.")),
    request_body = VersionIn, extensions(("x-body-bytes" = json!(2_097_152))),
    responses((status = 409, description = "The document is not published, or a version waits for review or for its time."),
        (status = 422, description = "The document carries a secrecy marking (`secret_marking`).")))]
#[post("/documents/{document_id}/versions")]
pub async fn create_document_version(
    request: WriteRequest<VersionIn, OnDocument<PublishDocuments>>,
) -> Result<Created<DocumentVersion>, Problem> {
    request
        .commit(async |conn, scope| {
            let row = lock(conn, scope.on.document_id).await?;
            if row.state != PUBLISHED {
                return Err(Problem::with(
                    Code::Conflict,
                    "Chỉ tài liệu đang ban hành mới có bản mới.",
                    "Only a published document gets a new version.",
                ));
            }
            let text = match &scope.body.text {
                Some(text) => text.clone(),
                None => body(conn, row.id).await?,
            };
            let texts = CheckedTexts { summary: &scope.body.note, ..CheckedTexts::of(&row, &text) };
            unmarked(&texts)?;
            let new = NewVersion {
                document_id: row.id,
                number: row.version + 1,
                note: scope.body.note.trim(),
                body: scope.body.text.as_deref(),
                by: scope.caller.account_id,
            };
            store::write(conn, &new, scope.now).await?;
            let event = audit::AuditEvent {
                unit_id: Some(row.unit_id),
                details: json!({"version": new.number}),
                ..scope.audit("document.version_written", "document", row.id)
            };
            audit::record(conn, event, scope.now).await?;
            let written = store::waiting(conn, row.id).await?.ok_or_else(|| Problem::internal("no version"))?;
            Ok(DocumentVersion::from(written))
        })
        .await
}

/// List the versions of a document
///
/// The newest first, with what was corrected. Those who may publish the document also see the one that waits.
#[utoipa::path(tag = "Documents", security(("bearer" = []), ("oauth2" = ["documents:read"])), params(("document_id" = Uuid, Path, description = "The document."), PageQuery))]
#[get("/documents/{document_id}/versions")]
pub async fn list_document_versions(
    mut request: ReadRequest<Readable>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<DocumentVersion>>, Problem> {
    let Query(page) = page;
    let (id, publisher) = (request.scope.on.row.id, request.scope.on.publisher);
    let rows = store::list(&mut request.conn, id, publisher, page.after()?, page.fetch()).await?;
    request.reply(&page.page(rows, |version| version.number, DocumentVersion::from))
}
