//! One document in full, as one caller sees it.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::documents::audiences::{self, DocumentAudience};
use crate::documents::cover_notes::UnitCoverNote;
use crate::documents::files::{FileOut, of_document};
use crate::documents::model::{DocumentKind, Symbol, parse_symbol};
use crate::documents::publishing::SameDocument;
use crate::documents::relations::{Related, of_document as of_relations};
use crate::documents::store::{DocumentRow, body, targets};
use crate::documents::versions;
use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{document_acknowledgements, reading_sessions};
use crate::kernel::http::problem::Problem;

/// A document in full.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Document)]
pub struct Detail {
    /// Identifier.
    pub id: Uuid,
    /// The unit that owns it.
    pub unit_id: Uuid,
    /// Its symbol as printed.
    #[schema(max_length = 60, example = "98-KH/ĐU")]
    pub symbol: String,
    /// The parts of the symbol, when it is written in the usual way.
    pub symbol_parts: Option<Symbol>,
    /// What kind of document it is.
    #[schema(value_type = DocumentKind)]
    pub kind: String,
    /// What it is about.
    #[schema(max_length = 500, example = "Kế hoạch sinh hoạt chuyên đề quý IV")]
    pub title: String,
    /// A few sentences on what it says; may be empty.
    #[schema(max_length = 2000, example = "Nội dung và thời gian sinh hoạt chuyên đề.")]
    pub summary: String,
    /// Its text; empty for a scan.
    #[schema(max_length = 200_000, example = "Điều 1. …")]
    pub text: String,
    /// Number of pages of a scan.
    #[schema(minimum = 1, maximum = 5000, example = 4)]
    pub pages: Option<i32>,
    /// The last day on which it should be read; null when it need not be. Units may ask for an earlier one: `cover_notes`.
    pub must_read_by: Option<NaiveDate>,
    /// What units of the caller say about it.
    #[schema(max_items = 20)]
    pub cover_notes: Vec<UnitCoverNote>,
    /// The issuer of the symbol; null when it is written in another way.
    #[schema(max_length = 40, example = "ĐU")]
    pub issuer: Option<String>,
    /// What it is filed under.
    #[schema(max_items = 10)]
    pub topics: Vec<String>,
    /// `draft`, `in_review`, `scheduled`, `published`, `superseded` or `recalled`.
    #[schema(max_length = 20, pattern = "^[a-z_]+$", example = "published")]
    pub state: String,
    /// The document that replaces or repeals it.
    pub superseded_by: Option<Uuid>,
    /// What it does to other documents that are published.
    #[schema(max_items = 50)]
    pub relations: Vec<Related>,
    /// Its present version; a reading session is for one version.
    #[schema(minimum = 1, maximum = 1_000_000, example = 1)]
    pub version: i32,
    /// When it was published; null for a draft.
    pub published_at: Option<DateTime<Utc>>,
    /// When it was recalled.
    pub recalled_at: Option<DateTime<Utc>>,
    /// Why it was recalled.
    #[schema(max_length = 1000, example = "Gửi nhầm đơn vị.")]
    pub recall_reason: Option<String>,
    /// The files of its present version.
    #[schema(max_items = 20)]
    pub files: Vec<FileOut>,
    /// The version that waits for its publication, with its files; shown to those who may publish it.
    pub next_version: Option<NextVersion>,
    /// The units it is distributed to, with everything below them; shown to those who may publish it, empty for others.
    #[schema(max_items = 5000)]
    pub unit_ids: Vec<Uuid>,
    /// Whom it goes to besides; shown to those who may publish it, empty for others.
    #[schema(max_items = 500)]
    pub audiences: Vec<DocumentAudience>,
    /// Whether the caller has finished reading it.
    pub read: bool,
    /// Whether the caller has confirmed it.
    pub acknowledged: bool,
    /// What the month offers the cells it is distributed to; only in the answer to publishing and recalling it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub month_offer: Option<ReachedOffer>,
    /// Documents with the same symbol, text or file that were published in the same units before, the latest first: points would be
    /// given for both. Only in the answer to publishing and recalling it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_items = 10)]
    pub published_before: Option<Vec<SameDocument>>,
}

/// A version that waits for its publication.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = NextDocumentVersion)]
pub struct NextVersion {
    /// Its number.
    #[schema(minimum = 1, maximum = 1_000_000, example = 2)]
    pub version: i32,
    /// `draft`, `in_review` or `scheduled`.
    #[schema(max_length = 20, pattern = "^[a-z_]+$", example = "draft")]
    pub state: String,
    /// What is corrected; empty for the first version.
    #[schema(max_length = 1000, example = "Sửa thời gian sinh hoạt ở Điều 2.")]
    pub note: String,
    /// When it will be published, if that is planned.
    pub publish_at: Option<DateTime<Utc>>,
    /// Its files; when there are none, those of the present version stay.
    #[schema(max_items = 20)]
    pub files: Vec<FileOut>,
}

impl Detail {
    /// The same for everybody who may change it: what a change is held against. What one reader has done is no change.
    pub fn shared(&self) -> Self {
        Self { read: false, acknowledged: false, cover_notes: Vec::new(), month_offer: None, ..self.clone() }
    }
}

/// What the present month offers some cells, with the change that was just made.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReachedOffer {
    /// The month.
    pub period: Period,
    /// Cells the document is distributed to.
    #[schema(minimum = 0, maximum = 1_000_000, example = 12)]
    pub cells: usize,
    /// Those in which even a diligent member with a device cannot reach the threshold with what is on offer.
    #[schema(minimum = 0, maximum = 1_000_000, example = 3)]
    pub cells_short: usize,
    /// Those in which even a diligent member without a device cannot.
    #[schema(minimum = 0, maximum = 1_000_000, example = 4)]
    pub cells_short_without_device: usize,
}

/// A document in full, as one caller sees it.
pub async fn detail(conn: &mut Conn, row: DocumentRow, caller_id: Uuid, publisher: bool) -> Result<Detail, Problem> {
    let read = reading_sessions::table
        .filter(reading_sessions::document_id.eq(row.id))
        .filter(reading_sessions::member_id.eq(caller_id))
        .filter(reading_sessions::completed_at.is_not_null());
    let read = diesel::select(diesel::dsl::exists(read)).get_result(conn).await?;
    let acknowledged = document_acknowledgements::table.find((row.id, caller_id));
    let acknowledged = diesel::select(diesel::dsl::exists(acknowledged)).get_result(conn).await?;
    let unit_ids = if publisher { targets(conn, row.id).await? } else { Vec::new() };
    Ok(Detail {
        files: of_document(conn, row.id, row.files_version).await?,
        next_version: if publisher { next_version(conn, row.id).await? } else { None },
        relations: of_relations(conn, row.id).await?,
        unit_ids,
        audiences: if publisher { audiences::of_document(conn, row.id).await? } else { Vec::new() },
        read,
        acknowledged,
        month_offer: None,
        published_before: None,
        id: row.id,
        unit_id: row.unit_id,
        symbol_parts: parse_symbol(&row.symbol),
        symbol: row.symbol,
        kind: row.kind,
        title: row.title,
        summary: row.summary,
        text: body(conn, row.id).await?,
        pages: row.pages,
        must_read_by: row.must_read_by,
        cover_notes: Vec::new(),
        issuer: row.issuer,
        topics: row.topics,
        state: row.state,
        superseded_by: row.superseded_by,
        version: row.version,
        published_at: row.published_at,
        recalled_at: row.recalled_at,
        recall_reason: row.recall_reason,
    })
}

async fn next_version(conn: &mut Conn, document_id: Uuid) -> Result<Option<NextVersion>, Problem> {
    let Some(version) = versions::waiting(conn, document_id).await? else { return Ok(None) };
    Ok(Some(NextVersion {
        version: version.number,
        state: version.state,
        note: version.note,
        publish_at: version.publish_at,
        files: of_document(conn, document_id, version.number).await?,
    }))
}
