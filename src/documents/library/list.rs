//! Lists of documents: what an item shows, and the plain list of concurrent requests.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Int4, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::documents::cover_notes::{UnitCoverNote, UnitCoverNotes};
use crate::documents::model::DocumentKind;
use crate::documents::search::{Highlight, Snippet};
use crate::kernel::batching::loader::{self, BatchQuery, LoadedRequest};
use crate::kernel::db::Conn;
use crate::kernel::db::statement::Prepared;
use crate::kernel::http::problem::Problem;
use crate::kernel::security::auth::{Principal, require_member};

/// A document in a member's list.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DocumentItem)]
pub struct LibraryItem {
    /// Identifier.
    pub id: Uuid,
    /// Its symbol as printed.
    #[schema(max_length = 60, example = "98-KH/ĐU")]
    pub symbol: String,
    /// The issuer of the symbol; null when it is written in another way.
    #[schema(max_length = 40, example = "ĐU")]
    pub issuer: Option<String>,
    /// What kind of document it is.
    #[schema(value_type = DocumentKind)]
    pub kind: String,
    /// What it is about.
    #[schema(max_length = 500, example = "Kế hoạch sinh hoạt chuyên đề quý IV")]
    pub title: String,
    /// A few sentences on what it says; may be empty.
    #[schema(max_length = 2000, example = "Nội dung và thời gian sinh hoạt chuyên đề.")]
    pub summary: String,
    /// What it is filed under.
    #[schema(max_items = 10)]
    pub topics: Vec<String>,
    /// `published`, or `superseded` when another document replaces or repeals it.
    #[schema(max_length = 20, pattern = "^[a-z_]+$", example = "published")]
    pub state: String,
    /// The document that replaces or repeals it.
    pub superseded_by: Option<Uuid>,
    /// Its present version.
    #[schema(minimum = 1, maximum = 1_000_000, example = 1)]
    pub version: i32,
    /// When it was published.
    pub published_at: DateTime<Utc>,
    /// The last day on which the caller should read it, the earliest of the document's and those of the caller's own units; null when
    /// it need not be.
    pub must_read_by: Option<NaiveDate>,
    /// What units of the caller say about it.
    #[schema(max_items = 20)]
    pub cover_notes: Vec<UnitCoverNote>,
    /// Whether the caller has finished reading it.
    pub read: bool,
    /// Whether the caller has confirmed it.
    pub acknowledged: bool,
    /// Number of files.
    #[schema(minimum = 0, maximum = 20)]
    pub files: i64,
    /// Whether the caller has bookmarked it.
    pub bookmarked: bool,
    /// The caller's private note; null when there is none.
    #[schema(max_length = 10_000, example = "Hỏi đồng chí bí thư về Điều 2.")]
    pub note: Option<String>,
    /// The passage in which the words of the search stand, as plain text; null without a search.
    #[schema(max_length = 300, example = "Kế hoạch sinh hoạt chuyên đề quý IV")]
    pub snippet: Option<String>,
    /// Where the words stand in the snippet, in code points.
    #[schema(max_items = 20)]
    pub highlights: Vec<Highlight>,
}

/// A row of a list.
#[derive(Debug, Clone, QueryableByName)]
pub struct LibraryRow {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    pub symbol: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub issuer: Option<String>,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub title: String,
    #[diesel(sql_type = Text)]
    pub summary: String,
    #[diesel(sql_type = Array<Text>)]
    pub topics: Vec<String>,
    #[diesel(sql_type = Text)]
    pub state: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub superseded_by: Option<Uuid>,
    #[diesel(sql_type = Int4)]
    pub version: i32,
    #[diesel(sql_type = Timestamptz)]
    pub published_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Date>)]
    pub must_read_by: Option<NaiveDate>,
    #[diesel(sql_type = Jsonb)]
    pub cover_notes: UnitCoverNotes,
    #[diesel(sql_type = Bool)]
    pub read: bool,
    #[diesel(sql_type = Bool)]
    pub acknowledged: bool,
    #[diesel(sql_type = BigInt)]
    pub files: i64,
    #[diesel(sql_type = Bool)]
    pub bookmarked: bool,
    #[diesel(sql_type = Nullable<Text>)]
    pub note: Option<String>,
}

impl LibraryRow {
    /// What the caller sees, with the passage that a search found.
    pub fn show(self, snippet: Option<Snippet>) -> LibraryItem {
        let (snippet, highlights) =
            snippet.map_or((None, Vec::new()), |snippet| (Some(snippet.text), snippet.highlights));
        LibraryItem {
            id: self.id,
            symbol: self.symbol,
            issuer: self.issuer,
            kind: self.kind,
            title: self.title,
            summary: self.summary,
            topics: self.topics,
            state: self.state,
            superseded_by: self.superseded_by,
            version: self.version,
            published_at: self.published_at,
            must_read_by: self.must_read_by,
            cover_notes: self.cover_notes.0,
            read: self.read,
            acknowledged: self.acknowledged,
            files: self.files,
            bookmarked: self.bookmarked,
            note: self.note,
            snippet,
            highlights,
        }
    }
}

/// What every list selects of a document `d` for a member `$member` whose cell and the units above it are `$home`.
macro_rules! library_columns {
    ($member:literal, $home:literal) => {
        concat!(
            "d.id, d.symbol, d.issuer, d.kind, d.title, d.summary, d.topics, d.state, d.superseded_by, d.version, d.published_at,
                least(d.must_read_by, (SELECT min(n.must_read_by) FROM document_cover_notes n
                    WHERE n.document_id = d.id AND NOT n.removed AND n.unit_id = ANY(",
            $home,
            "))) AS must_read_by,
                (SELECT coalesce(jsonb_agg(jsonb_build_object('unit_id', n.unit_id, 'unit_name', u.name,
                        'must_read_by', n.must_read_by, 'text', n.text) ORDER BY n.unit_id), '[]')
                    FROM document_cover_notes n JOIN units u ON u.id = n.unit_id
                    WHERE n.document_id = d.id AND NOT n.removed AND n.unit_id = ANY(",
            $home,
            ")) AS cover_notes,
                EXISTS (SELECT 1 FROM reading_sessions s
                    WHERE s.document_id = d.id AND s.member_id = ",
            $member,
            " AND s.completed_at IS NOT NULL) AS read,
                EXISTS (SELECT 1 FROM document_acknowledgements a
                    WHERE a.document_id = d.id AND a.member_id = ",
            $member,
            ") AS acknowledged,
                (SELECT count(*) FROM document_files f WHERE f.document_id = d.id AND f.version = d.files_version) AS files,
                EXISTS (SELECT 1 FROM document_marks w
                    WHERE w.document_id = d.id AND w.account_id = ",
            $member,
            " AND w.bookmarked_at IS NOT NULL) AS bookmarked,
                (SELECT w.note FROM document_marks w
                    WHERE w.document_id = d.id AND w.account_id = ",
            $member,
            " AND w.note <> '') AS note"
        )
    };
}
pub(crate) use library_columns;

/// Request for a list of documents of the member's cell.
pub struct LibraryQuery {
    pub unread: bool,
    /// Those after this one, in the order of the list.
    pub after: Option<(DateTime<Utc>, Uuid)>,
    pub fetch: i64,
    /// The day of the request.
    pub day: NaiveDate,
}

/// A row of a batched list, with the place of its request.
#[derive(QueryableByName)]
struct BatchedDocumentRow {
    #[diesel(sql_type = Int4)]
    place: i32,
    #[diesel(embed)]
    row: LibraryRow,
}

/// Newest first. Arrays of arrays are not unnested, so units come as text. What reaches a member is found by its audiences, so that
/// no other document is looked at.
const LIST: &str = concat!(
    "SELECT k.place, d.* FROM (
        SELECT place, member_id, string_to_array(home, ',')::uuid[] AS home,
            audience_keys(member_id, string_to_array(home, ',')::uuid[], day) AS keys, unread, at, id, most
        FROM unnest($1::int4[], $2::uuid[], $3::text[], $4::date[], $5::bool[], $6::timestamptz[], $7::uuid[], $8::int8[])
            AS k (place, member_id, home, day, unread, at, id, most) OFFSET 0) k
    CROSS JOIN LATERAL (SELECT * FROM (
            SELECT ",
    library_columns!("k.member_id", "k.home"),
    " FROM documents d
            WHERE d.state IN ('published', 'superseded')
            AND d.id = ANY(ARRAY(SELECT f.document_id FROM document_feed f WHERE f.key = ANY(k.keys) AND NOT f.removed))
            AND (k.at IS NULL OR (d.published_at, d.id) < (k.at, k.id))
        ) AS mine WHERE NOT (k.unread AND read) ORDER BY published_at DESC, id DESC LIMIT k.most) d
    ORDER BY k.place, d.published_at DESC, d.id DESC"
);

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
        let query = diesel::sql_query(LIST)
            .bind::<Array<Int4>, _>((0..).take(asked.len()).collect::<Vec<i32>>())
            .bind::<Array<SqlUuid>, _>(asked.iter().map(|one| one.caller.account_id).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(asked.iter().map(home).collect::<Vec<_>>())
            .bind::<Array<Date>, _>(asked.iter().map(|one| one.wanted.day).collect::<Vec<_>>())
            .bind::<Array<Bool>, _>(asked.iter().map(|one| one.wanted.unread).collect::<Vec<_>>())
            .bind::<Array<Nullable<Timestamptz>>, _>(at)
            .bind::<Array<Nullable<SqlUuid>>, _>(id)
            .bind::<Array<BigInt>, _>(asked.iter().map(|one| one.wanted.fetch).collect::<Vec<_>>());
        let rows: Vec<BatchedDocumentRow> = Prepared(query).load(&mut conn).await?;
        let lists = loader::by_place(rows, asked.len(), |placed| placed.place);
        Ok(lists.into_iter().map(|list| list.into_iter().map(|placed| placed.row.show(None)).collect()).collect())
    }
}
