//! Writing, changing, publishing and recalling documents over HTTP.

use actix_web::http::header;
use actix_web::{HttpRequest, get, patch, post};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::documents::library::{Detail, ReachedOffer, detail};
use crate::documents::model::DocumentKind;
use crate::documents::store::{DocumentRow, PUBLISHED, RECALLED, body, get as get_row, lock, recalled, targets};
use crate::documents::targets::OnDocument;
use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::extract::{Query, ReadRequest, Scope, WriteRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Code, Problem, text};
use crate::kernel::http::reply;
use crate::kernel::http::reply::{Created, Reply};
use crate::kernel::security::access::needs::PublishDocuments;
use crate::kernel::security::audit;
use crate::kernel::text::symbol;
use crate::organisation::OnUnit;
use crate::points::month_offer;

use super::repeated::published_before;
use super::store::{self, NewDocument};

/// A document as the unit that owns it lists it.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnedDocument {
    /// Identifier.
    id: Uuid,
    /// Its symbol as printed.
    #[schema(max_length = 60, example = "98-KH/ĐU")]
    symbol: String,
    /// What kind of document it is.
    #[schema(value_type = DocumentKind)]
    kind: String,
    /// What it is about.
    #[schema(max_length = 500, example = "Kế hoạch sinh hoạt chuyên đề quý IV")]
    title: String,
    /// `draft`, `published` or `recalled`.
    #[schema(max_length = 20, pattern = "^[a-z]+$", example = "draft")]
    status: String,
    /// Counts its changes.
    #[schema(minimum = 1, maximum = 1_000_000, example = 1)]
    version: i32,
    /// The last day on which it should be read; null when it need not be.
    must_read_by: Option<NaiveDate>,
    /// When it was written.
    created_at: DateTime<Utc>,
    /// When it was published; null for a draft.
    published_at: Option<DateTime<Utc>>,
    /// When it was recalled.
    recalled_at: Option<DateTime<Utc>>,
}

impl From<DocumentRow> for OwnedDocument {
    fn from(row: DocumentRow) -> Self {
        Self {
            id: row.id,
            symbol: row.symbol,
            kind: row.kind,
            title: row.title,
            status: row.status,
            version: row.version,
            must_read_by: row.must_read_by,
            created_at: row.created_at,
            published_at: row.published_at,
            recalled_at: row.recalled_at,
        }
    }
}

/// List documents of a unit
///
/// What the unit owns, drafts and recalled ones too, newest first. For those who may publish there.
#[utoipa::path(tag = "Documents", params(("unit_id" = Uuid, Path, description = "The unit."), PageQuery))]
#[get("/units/{unit_id}/documents")]
pub async fn list_unit_documents(
    mut request: ReadRequest<OnUnit<PublishDocuments>>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<OwnedDocument>>, Problem> {
    let Query(page) = page;
    let unit_id = request.scope.on.unit_id;
    let rows = store::of_unit(&mut request.conn, unit_id, page.after()?, page.fetch()).await?;
    request.reply(&page.page(rows, |row| row.id, OwnedDocument::from))
}

/// A document to be written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentIn {
    /// Its symbol as printed.
    #[schema(min_length = 1, max_length = 60, pattern = r"\S", example = "98-KH/ĐU")]
    symbol: String,
    /// What kind of document it is.
    #[schema(example = "ke_hoach")]
    kind: DocumentKind,
    /// What it is about.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S", example = "Kế hoạch sinh hoạt chuyên đề quý IV")]
    title: String,
    /// A few sentences on what it says.
    #[serde(default)]
    #[schema(
        max_length = 2000,
        content_media_type = "text/plain",
        example = "Nội dung và thời gian sinh hoạt chuyên đề."
    )]
    summary: String,
    /// Its text, by which it is found and its reading time is measured; leave it out for a scan.
    #[serde(default)]
    #[schema(
        max_length = 200_000,
        content_media_type = "text/plain",
        example = "Điều 1. Các chi bộ sinh hoạt chuyên đề trong quý IV."
    )]
    text: String,
    /// Number of pages of a scan without text.
    #[schema(minimum = 1, maximum = 5000, nullable = false, example = 4)]
    pages: Option<i32>,
    /// Makes it a document that members should read and confirm until this day.
    #[schema(nullable = false)]
    must_read_by: Option<NaiveDate>,
}

/// Write a document
///
/// Makes a draft that the unit owns, visible only to those who may publish it. A document with a secrecy marking is
/// refused. The body may have two megabytes.
#[utoipa::path(tag = "Documents", params(("unit_id" = Uuid, Path, description = "The unit that will own it.")),
    request_body = DocumentIn, extensions(("x-body-bytes" = json!(2_097_152))),
    responses((status = 422, description = "There is neither a text nor a number of pages, or the document carries a secrecy marking.")))]
#[post("/units/{unit_id}/documents")]
pub async fn create_document(
    request: WriteRequest<DocumentIn, OnUnit<PublishDocuments>>,
) -> Result<Created<Detail>, Problem> {
    request
        .commit(async |conn, scope| {
            let body = &scope.body;
            let new = NewDocument {
                unit_id: scope.on.unit_id,
                symbol: symbol(&body.symbol),
                kind: body.kind,
                title: body.title.clone(),
                summary: body.summary.clone(),
                text: body.text.clone(),
                pages: body.pages,
                must_read_by: body.must_read_by,
            };
            let id = store::draft(conn, &new, scope.caller.account_id, scope.now).await?;
            let event = audit::AuditEvent {
                unit_id: Some(scope.on.unit_id),
                ..scope.audit("document.written", "document", id)
            };
            audit::record(conn, event, scope.now).await?;
            show(conn, id, scope).await
        })
        .await
}

/// What is to be changed; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentPatch {
    /// Its symbol as printed.
    #[schema(min_length = 1, max_length = 60, pattern = r"\S", nullable = false, example = "98-KH/ĐU")]
    symbol: Option<String>,
    /// What kind of document it is.
    #[schema(nullable = false, example = "ke_hoach")]
    kind: Option<DocumentKind>,
    /// What it is about.
    #[schema(
        min_length = 1,
        max_length = 500,
        pattern = r"\S",
        nullable = false,
        example = "Kế hoạch sinh hoạt chuyên đề quý IV"
    )]
    title: Option<String>,
    /// A few sentences on what it says.
    #[schema(
        max_length = 2000,
        content_media_type = "text/plain",
        nullable = false,
        example = "Nội dung và thời gian."
    )]
    summary: Option<String>,
    /// Its text.
    #[schema(
        max_length = 200_000,
        content_media_type = "text/plain",
        nullable = false,
        example = "Điều 1. Các chi bộ sinh hoạt."
    )]
    text: Option<String>,
    /// Number of pages of a scan without text.
    #[schema(minimum = 1, maximum = 5000, nullable = false, example = 4)]
    pages: Option<i32>,
    /// The last day on which it should be read and confirmed.
    #[schema(nullable = false)]
    must_read_by: Option<NaiveDate>,
}

impl DocumentPatch {
    /// Puts the changes into the row. Returns the names of the fields that differ now.
    fn apply(&self, row: &mut DocumentRow, text: &mut String) -> Vec<&'static str> {
        let mut changed = Vec::new();
        let mut put = |name, field: &mut String, new: Option<&str>| {
            if let Some(new) = new.filter(|new| *new != field.as_str()) {
                new.clone_into(field);
                changed.push(name);
            }
        };
        put("symbol", &mut row.symbol, self.symbol.as_deref().map(symbol).as_deref());
        put("kind", &mut row.kind, self.kind.map(DocumentKind::as_str));
        put("title", &mut row.title, self.title.as_deref());
        put("summary", &mut row.summary, self.summary.as_deref());
        put("text", text, self.text.as_deref());
        if self.pages.is_some() && self.pages != row.pages {
            row.pages = self.pages;
            changed.push("pages");
        }
        if self.must_read_by.is_some() && self.must_read_by != row.must_read_by {
            row.must_read_by = self.must_read_by;
            changed.push("must_read_by");
        }
        changed
    }
}

/// Change a document
///
/// Needs the `ETag` of the document as `If-Match`; 412 when the document was changed meanwhile. Every change makes a
/// new version: readers of an older one have to start again. The body may have two megabytes.
#[utoipa::path(tag = "Documents", params(("document_id" = Uuid, Path, description = "The document."),
        ("If-Match" = String, Header, description = "The `ETag` of the document that was read.", max_length = 500, pattern = "^.+$")),
    request_body = DocumentPatch, extensions(("x-body-bytes" = json!(2_097_152))),
    responses((status = 409, description = "The document was recalled."),
        (status = 412, description = "The document was changed meanwhile."),
        (status = 422, description = "There is neither a text nor a number of pages, or the document carries a secrecy marking.")))]
#[patch("/documents/{document_id}")]
pub async fn update_document(
    req: HttpRequest,
    request: WriteRequest<DocumentPatch, OnDocument<PublishDocuments>>,
) -> Result<Reply<Detail>, Problem> {
    if !req.headers().contains_key(header::IF_MATCH) {
        let detail = text("Thiếu If-Match.", "If-Match is required.");
        return Err(Problem::fault("If-Match", "required", detail));
    }
    request
        .commit(async |conn, scope| {
            let mut row = lock(conn, scope.on.document_id).await?;
            if row.status == RECALLED {
                return Err(recalled());
            }
            let seen = detail(conn, row.clone(), scope.caller.account_id, true).await?;
            if !reply::matches_version(&req, &seen.shared())? {
                return Err(Problem::new(Code::PreconditionFailed));
            }
            let mut text = body(conn, row.id).await?;
            let changed = scope.body.apply(&mut row, &mut text);
            if !changed.is_empty() {
                store::rewrite(conn, (&row, &text), scope.caller.account_id, scope.now).await?;
                let event = audit::AuditEvent {
                    unit_id: Some(row.unit_id),
                    details: json!({"fields": changed}),
                    ..scope.audit("document.changed", "document", row.id)
                };
                audit::record(conn, event, scope.now).await?;
            }
            show(conn, row.id, scope).await
        })
        .await
}

/// Where a document goes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublicationIn {
    /// The units that get it, each with everything below it: the owning unit or units below it.
    #[schema(min_items = 1, max_items = 500, example = json!(["01949d6c-7c00-7000-8000-000000000001"]))]
    unit_ids: Vec<Uuid>,
    /// The officer's word that the document holds no state secret; must be true.
    #[schema(example = true)]
    attests_no_state_secrets: bool,
}

/// Publish a document
///
/// Distributes a draft to units, at once; the answer warns in how many of their cells the month offers less than the
/// threshold, and names documents with the same symbol, text or file that were published there before: they would pay twice, and
/// inspectors look at it. Publishing a published document again distributes it to more units. Documents
/// that hold state secrets must not be on a networked system: the officer attests that this one does not, and a document
/// with a secrecy marking is refused.
#[utoipa::path(tag = "Documents", params(("document_id" = Uuid, Path, description = "The document.")),
    request_body = PublicationIn,
    responses((status = 409, description = "The document was recalled."),
        (status = 422, description = "A unit is not below the owning one, the attestation is missing, or the document carries a secrecy marking.")))]
#[post("/documents/{document_id}/publish")]
pub async fn publish_document(
    request: WriteRequest<PublicationIn, OnDocument<PublishDocuments>>,
) -> Result<Reply<Detail>, Problem> {
    if !request.body.attests_no_state_secrets {
        return Err(Problem::with(
            Code::RuleNotMet,
            "Người ban hành phải cam kết tài liệu không chứa bí mật nhà nước.",
            "The publisher must attest that the document holds no state secret.",
        ));
    }
    request
        .commit(async |conn, scope| {
            let (id, by) = (scope.on.document_id, scope.caller.account_id);
            store::publish(conn, id, &scope.body.unit_ids, by, scope.now).await?;
            let event = audit::AuditEvent {
                unit_id: Some(scope.on.unit_id),
                details: json!({"unit_ids": scope.body.unit_ids}),
                ..scope.audit("document.published", "document", id)
            };
            audit::record(conn, event, scope.now).await?;
            show_with_offer(conn, id, scope).await
        })
        .await
}

/// Why a document is withdrawn.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecallIn {
    /// The reason, shown to those who may publish.
    #[schema(
        min_length = 1,
        max_length = 1000,
        content_media_type = "text/plain",
        pattern = r"\S",
        example = "Gửi nhầm đơn vị."
    )]
    reason: String,
}

/// Recall a document
///
/// From that moment no member finds, opens or downloads the document, and it earns no points. Members who had opened it
/// stay listed as its readers.
#[utoipa::path(tag = "Documents", params(("document_id" = Uuid, Path, description = "The document.")),
    request_body = RecallIn,
    responses((status = 409, description = "The document is not published.")))]
#[post("/documents/{document_id}/recall")]
pub async fn recall_document(
    request: WriteRequest<RecallIn, OnDocument<PublishDocuments>>,
) -> Result<Reply<Detail>, Problem> {
    request
        .commit(async |conn, scope| {
            let (id, by) = (scope.on.document_id, scope.caller.account_id);
            store::recall(conn, id, by, scope.body.reason.trim(), scope.now).await?;
            let event = audit::AuditEvent {
                unit_id: Some(scope.on.unit_id),
                ..scope.audit("document.recalled", "document", id)
            };
            audit::record(conn, event, scope.now).await?;
            show_with_offer(conn, id, scope).await
        })
        .await
}

async fn show<B, T>(conn: &mut Conn, id: Uuid, scope: &Scope<B, T>) -> Result<Detail, Problem> {
    let row = get_row(conn, id).await?;
    detail(conn, row, scope.caller.account_id, true).await
}

/// The same with warnings for the publisher: in how many of the cells it reaches the month offers too little, and which documents
/// that are the same were published before.
async fn show_with_offer<B, T>(conn: &mut Conn, id: Uuid, scope: &Scope<B, T>) -> Result<Detail, Problem> {
    let row = get_row(conn, id).await?;
    let same = if row.status == PUBLISHED { published_before(conn, &row, scope.now).await? } else { Vec::new() };
    let units = targets(conn, id).await?;
    let reached = month_offer(conn, &units, scope.now).await?;
    let period = Period::containing(day_of(scope.now));
    let offer = ReachedOffer {
        period,
        cells: reached.cells,
        cells_short: reached.cells_short,
        cells_short_without_device: reached.cells_short_without_device,
    };
    Ok(Detail { month_offer: Some(offer), published_before: Some(same), ..show(conn, id, scope).await? })
}
