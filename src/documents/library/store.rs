//! Queries of the library: what is distributed to a cell, and one document in full.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Int4, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::documents::files::{FileOut, of_document};
use crate::documents::model::{DocumentKind, Symbol, parse_symbol};
use crate::documents::publishing::SameDocument;
use crate::documents::store::{DocumentRow, body, targets};
use crate::kernel::batching::loader::{self, BatchQuery, LoadedRequest};
use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{document_acknowledgements, reading_sessions};
use crate::kernel::db::statement::PreparedWhen;
use crate::kernel::http::problem::Problem;
use crate::kernel::security::auth::{Principal, require_member};

/// A document in a member's list.
#[derive(Debug, Clone, Serialize, ToSchema, QueryableByName)]
#[schema(as = DocumentItem)]
pub struct LibraryItem {
    /// Identifier.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// Its symbol as printed.
    #[diesel(sql_type = Text)]
    #[schema(max_length = 60, example = "98-KH/ĐU")]
    pub symbol: String,
    /// What kind of document it is.
    #[diesel(sql_type = Text)]
    #[schema(value_type = DocumentKind)]
    pub kind: String,
    /// What it is about.
    #[diesel(sql_type = Text)]
    #[schema(max_length = 500, example = "Kế hoạch sinh hoạt chuyên đề quý IV")]
    pub title: String,
    /// A few sentences on what it says; may be empty.
    #[diesel(sql_type = Text)]
    #[schema(max_length = 2000, example = "Nội dung và thời gian sinh hoạt chuyên đề.")]
    pub summary: String,
    /// When it was published.
    #[diesel(sql_type = Timestamptz)]
    pub published_at: DateTime<Utc>,
    /// The last day on which it should be read; null when it need not be.
    #[diesel(sql_type = Nullable<Date>)]
    pub must_read_by: Option<NaiveDate>,
    /// Whether the caller has finished reading it.
    #[diesel(sql_type = Bool)]
    pub read: bool,
    /// Whether the caller has confirmed it.
    #[diesel(sql_type = Bool)]
    pub acknowledged: bool,
    /// Number of files.
    #[diesel(sql_type = BigInt)]
    #[schema(minimum = 0, maximum = 20)]
    pub files: i64,
}

/// Request for a list of documents of the member's cell.
pub struct LibraryQuery {
    pub unread: bool,
    /// Beginnings of words. Whoever searches is answered alone or with others who do.
    pub words: Vec<String>,
    /// Those after this one, in the order of the list.
    pub after: Option<(DateTime<Utc>, Uuid)>,
    pub fetch: i64,
}

/// A row of a batched list, with the place of its request.
#[derive(QueryableByName)]
struct BatchedDocumentRow {
    #[diesel(sql_type = Int4)]
    place: i32,
    #[diesel(embed)]
    item: LibraryItem,
}

/// Newest first. Arrays of arrays are not unnested, so units come as text. What reaches a member is found by the units it went to,
/// so that no other document is looked at.
macro_rules! list {
    ($found:literal) => {
        concat!(
            "SELECT k.place, d.* FROM (
        SELECT place, member_id, string_to_array(home, ',')::uuid[] AS home, words, unread, at, id, most
        FROM unnest($1::int4[], $2::uuid[], $3::text[], $4::text[], $5::bool[], $6::timestamptz[], $7::uuid[], $8::int8[])
            AS k (place, member_id, home, words, unread, at, id, most) OFFSET 0) k
    CROSS JOIN LATERAL (SELECT * FROM (
            SELECT d.id, d.symbol, d.kind, d.title, d.summary, d.published_at, d.must_read_by,
                EXISTS (SELECT 1 FROM reading_sessions s
                    WHERE s.document_id = d.id AND s.member_id = k.member_id AND s.completed_at IS NOT NULL) AS read,
                EXISTS (SELECT 1 FROM document_acknowledgements a
                    WHERE a.document_id = d.id AND a.member_id = k.member_id) AS acknowledged,
                (SELECT count(*) FROM document_files f WHERE f.document_id = d.id) AS files
            FROM documents d
            WHERE d.status = 'published'
            AND ",
            $found,
            "
            AND (k.at IS NULL OR (d.published_at, d.id) < (k.at, k.id))
        ) AS mine WHERE NOT (k.unread AND read) ORDER BY published_at DESC, id DESC LIMIT k.most) d
    ORDER BY k.place, d.published_at DESC, d.id DESC"
        )
    };
}
const LIST: &str =
    list!("d.id = ANY(ARRAY(SELECT t.document_id FROM document_targets t WHERE t.unit_id = ANY(k.home)))");
/// Those with these beginnings of words.
const SEARCH: &str = list!(
    "words_of(d.search) @@ k.words::tsquery
            AND EXISTS (SELECT 1 FROM document_targets t WHERE t.document_id = d.id AND t.unit_id = ANY(k.home))"
);

/// A query for beginnings of words, which hold letters and digits only; as long as `words_of` in SQL keeps them.
fn tsquery(words: &[String]) -> String {
    let words =
        words.iter().map(|word| format!("'{}':*", word.trim().chars().take(MOST_OF_A_WORD).collect::<String>()));
    words.collect::<Vec<_>>().join(" & ")
}

const MOST_OF_A_WORD: usize = 100;

/// Batched query that lists documents for all concurrent requests.
pub struct LibraryLoader;

impl BatchQuery for LibraryLoader {
    type Input = LibraryQuery;
    type Output = Vec<LibraryItem>;

    fn admit(caller: &Principal) -> Result<(), Problem> {
        require_member(Some(caller.kind))
    }

    async fn answer(
        mut conn: &Conn,
        asked: &[LoadedRequest<'_, LibraryQuery>],
    ) -> Result<Vec<Vec<LibraryItem>>, Problem> {
        let home = |one: &LoadedRequest<'_, LibraryQuery>| {
            let units: Vec<String> = one.caller.home.iter().map(Uuid::to_string).collect();
            units.join(",")
        };
        let (at, id): (Vec<_>, Vec<_>) = asked.iter().map(|one| one.wanted.after.unzip()).unzip();
        let searching = asked.iter().any(|one| !one.wanted.words.is_empty());
        let query = diesel::sql_query(if searching { SEARCH } else { LIST })
            .bind::<Array<Int4>, _>((0..).take(asked.len()).collect::<Vec<i32>>())
            .bind::<Array<SqlUuid>, _>(asked.iter().map(|one| one.caller.account_id).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(asked.iter().map(home).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(asked.iter().map(|one| tsquery(&one.wanted.words)).collect::<Vec<_>>())
            .bind::<Array<Bool>, _>(asked.iter().map(|one| one.wanted.unread).collect::<Vec<_>>())
            .bind::<Array<Nullable<Timestamptz>>, _>(at)
            .bind::<Array<Nullable<SqlUuid>>, _>(id)
            .bind::<Array<BigInt>, _>(asked.iter().map(|one| one.wanted.fetch).collect::<Vec<_>>());
        // A plan for all words would fit none: how many documents have a word differs much.
        let rows: Vec<BatchedDocumentRow> = PreparedWhen(!searching, query).load(&mut conn).await?;
        let lists = loader::by_place(rows, asked.len(), |placed| placed.place);
        Ok(lists.into_iter().map(|list| list.into_iter().map(|placed| placed.item).collect()).collect())
    }
}

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
    /// The last day on which it should be read; null when it need not be.
    pub must_read_by: Option<NaiveDate>,
    /// `draft`, `published` or `recalled`.
    #[schema(max_length = 20, pattern = "^[a-z]+$", example = "published")]
    pub status: String,
    /// Counts its changes; a reading session is for one version.
    #[schema(minimum = 1, maximum = 1_000_000, example = 1)]
    pub version: i32,
    /// When it was published; null for a draft.
    pub published_at: Option<DateTime<Utc>>,
    /// When it was recalled.
    pub recalled_at: Option<DateTime<Utc>>,
    /// Why it was recalled.
    #[schema(max_length = 1000, example = "Gửi nhầm đơn vị.")]
    pub recall_reason: Option<String>,
    /// Its files.
    #[schema(max_items = 20)]
    pub files: Vec<FileOut>,
    /// The units it is distributed to, with everything below them; shown to those who may publish it, empty for others.
    #[schema(max_items = 5000)]
    pub unit_ids: Vec<Uuid>,
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

impl Detail {
    /// The same for everybody who may change it: what a change is held against. What one reader has done is no change.
    pub fn shared(&self) -> Self {
        Self { read: false, acknowledged: false, month_offer: None, ..self.clone() }
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
        files: of_document(conn, row.id).await?,
        unit_ids,
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
        status: row.status,
        version: row.version,
        published_at: row.published_at,
        recalled_at: row.recalled_at,
        recall_reason: row.recall_reason,
    })
}
