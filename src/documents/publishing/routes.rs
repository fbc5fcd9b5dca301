//! Writing and changing documents over HTTP.

use actix_web::http::header;
use actix_web::{HttpRequest, get, patch, post};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::documents::library::{Detail, detail};
use crate::documents::model::DocumentKind;
use crate::documents::store::{DocumentRow, RECALLED, body, get as get_row, lock, recalled};
use crate::documents::targets::OnDocument;
use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::extract::{Query, ReadRequest, Scope, WriteRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Code, Problem, text};
use crate::kernel::http::reply;
use crate::kernel::http::reply::{Created, Reply};
use crate::kernel::security::access::needs::PublishDocuments;
use crate::kernel::security::audit;
use crate::kernel::text::{fold, one_line, symbol};
use crate::organisation::{OnUnit, units};
use crate::points::document_review;

use super::store::{self, NewDocument, OwnedQuery};

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
    /// `draft`, `in_review`, `scheduled`, `published`, `superseded` or `recalled`.
    #[schema(max_length = 20, pattern = "^[a-z_]+$", example = "draft")]
    state: String,
    /// The document that replaces or repeals it.
    superseded_by: Option<Uuid>,
    /// What it is filed under.
    #[schema(max_items = 10)]
    topics: Vec<String>,
    /// Its present version.
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
            state: row.state,
            superseded_by: row.superseded_by,
            topics: row.topics,
            version: row.version,
            must_read_by: row.must_read_by,
            created_at: row.created_at,
            published_at: row.published_at,
            recalled_at: row.recalled_at,
        }
    }
}

/// Which documents of a unit are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OwnedDocumentQuery {
    /// Only those in this state.
    #[param(
        nullable = false,
        max_length = 20,
        pattern = "^(draft|in_review|scheduled|published|superseded|recalled)$"
    )]
    state: Option<String>,
}

/// List documents of a unit
///
/// What the unit owns, drafts and recalled ones too, newest first. For those who may publish there.
#[utoipa::path(tag = "Documents", params(("unit_id" = Uuid, Path, description = "The unit."), PageQuery, OwnedDocumentQuery))]
#[get("/units/{unit_id}/documents")]
pub async fn list_unit_documents(
    mut request: ReadRequest<OnUnit<PublishDocuments>>,
    page: Query<PageQuery>,
    query: Query<OwnedDocumentQuery>,
) -> Result<Reply<Page<OwnedDocument>>, Problem> {
    let (Query(page), Query(query)) = (page, query);
    let unit_id = request.scope.on.unit_id;
    let wanted = OwnedQuery { state: query.state.as_deref(), after: page.after()?, fetch: page.fetch() };
    let rows = store::of_unit(&mut request.conn, unit_id, &wanted).await?;
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
    /// What it is filed under, each topic at most 60 characters.
    #[serde(default)]
    #[schema(max_items = 10, example = json!(["Chuyển đổi số"]))]
    topics: Vec<Topic>,
}

/// Write a document
///
/// Makes a draft that the unit owns, visible only to those who may publish it. A document with a secrecy marking is
/// refused. The body may have two megabytes.
#[utoipa::path(tag = "Documents", params(("unit_id" = Uuid, Path, description = "The unit that will own it.")),
    request_body = DocumentIn, extensions(("x-body-bytes" = json!(2_097_152))),
    responses((status = 422, description = "There is neither a text nor a number of pages, or the document carries a secrecy marking (`secret_marking`).")))]
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
                topics: distinct(&body.topics),
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
    /// The last day on which it should be read and confirmed; null when it need not be any more.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<NaiveDate>)]
    must_read_by: Option<Option<NaiveDate>>,
    /// What it is filed under, each topic at most 60 characters.
    #[schema(max_items = 10, nullable = false, example = json!(["Chuyển đổi số"]))]
    topics: Option<Vec<Topic>>,
}

/// A topic that documents are filed under.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = DocumentTopic, min_length = 1, max_length = 60, pattern = r"\S", example = "Chuyển đổi số")]
pub struct Topic(String);

/// Each topic once, in the order given, however it is spelled.
fn distinct(topics: &[Topic]) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    topics.iter().map(|topic| one_line(&topic.0)).filter(|topic| seen.insert(fold(topic))).collect()
}

/// Tells a field that is null from one that is left out.
fn present<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Option<NaiveDate>>, D::Error> {
    Option::deserialize(input).map(Some)
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
        if let Some(day) = self.must_read_by.filter(|day| *day != row.must_read_by) {
            row.must_read_by = day;
            changed.push("must_read_by");
        }
        if let Some(topics) = self.topics.as_deref().map(distinct).filter(|topics| *topics != row.topics) {
            row.topics = topics;
            changed.push("topics");
        }
        changed
    }
}

/// Change a document
///
/// Needs the `ETag` of the document as `If-Match`; 412 when the document was changed meanwhile. Another text of a published
/// document is its next version: readers of an older one have to start again. What waits for review or for its time is not
/// changed, and where documents are reviewed the text of a published one changes by a new version only. The body may have two
/// megabytes.
#[utoipa::path(tag = "Documents", params(("document_id" = Uuid, Path, description = "The document."),
        ("If-Match" = String, Header, description = "The `ETag` of the document that was read.", max_length = 500, pattern = "^.+$")),
    request_body = DocumentPatch, extensions(("x-body-bytes" = json!(2_097_152))),
    responses((status = 409, description = "The document was recalled, or it waits for review or for its time."),
        (status = 412, description = "The document was changed meanwhile."),
        (status = 422, description = "There is neither a text nor a number of pages, or the document carries a secrecy marking (`secret_marking`).")))]
#[patch("/documents/{document_id}")]
pub async fn update_document(
    req: HttpRequest,
    request: WriteRequest<DocumentPatch, OnDocument<PublishDocuments>>,
) -> Result<Reply<Detail>, Problem> {
    if !req.headers().contains_key(header::IF_MATCH) {
        let detail = text("Thiếu If-Match.", "If-Match is required.");
        return Err(Problem::malformed("If-Match", "required", detail));
    }
    request
        .commit(async |conn, scope| {
            let mut row = lock(conn, scope.on.document_id).await?;
            if row.state == RECALLED {
                return Err(recalled());
            }
            let seen = detail(conn, row.clone(), scope.caller.account_id, true).await?;
            if !reply::matches_version(&req, &seen.shared())? {
                return Err(Problem::new(Code::PreconditionFailed));
            }
            let (before, mut text) = (row.clone(), body(conn, row.id).await?);
            let changed = scope.body.apply(&mut row, &mut text);
            if !changed.is_empty() {
                if row.is_out() && changed.contains(&"text") {
                    require_no_review(conn, row.unit_id, scope.now).await?;
                }
                store::rewrite(conn, (&before, &row, &text), scope.caller.account_id, scope.now).await?;
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

/// Where a second officer looks at documents, the text of a published one changes by a new version.
async fn require_no_review(conn: &mut Conn, unit_id: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    let path = units::last_path(conn, unit_id, day_of(now)).await?;
    if !document_review(conn, &path, now).await? {
        return Ok(());
    }
    Err(Problem::with(
        Code::Conflict,
        "Đơn vị này duyệt tài liệu trước khi ban hành: hãy soạn bản mới thay vì sửa trực tiếp.",
        "Documents of this unit are reviewed: write a new version instead of changing the text.",
    ))
}

async fn show<B, T>(conn: &mut Conn, id: Uuid, scope: &Scope<B, T>) -> Result<Detail, Problem> {
    let row = get_row(conn, id).await?;
    detail(conn, row, scope.caller.account_id, true).await
}
