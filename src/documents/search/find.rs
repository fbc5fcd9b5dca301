//! The documents that a reader may see and a search finds, best first.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Date, Int4, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::documents::library::{LibraryItem, LibraryRow, library_columns};
use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;

use super::snippet::snippet;
use super::words::Search;

/// What narrows a list down.
#[derive(Debug, Default)]
pub struct Filters {
    pub unread: bool,
    pub kind: Option<String>,
    /// As it is looked for.
    pub issuer_key: Option<String>,
    /// As it is looked for.
    pub topic_key: Option<String>,
    pub state: Option<String>,
    /// First moment of publication.
    pub from: Option<DateTime<Utc>>,
    /// The moment before which it was published.
    pub until: Option<DateTime<Utc>>,
}

/// Where a document stands in the answer: how well it fits, then the newest first.
pub type SearchPlace = (i32, DateTime<Utc>, Uuid);

/// A document found, with its place and the texts in which the words may stand.
#[derive(QueryableByName)]
struct FoundRow {
    #[diesel(sql_type = Int4)]
    fit: i32,
    #[diesel(embed)]
    listed: LibraryRow,
    #[diesel(sql_type = Text)]
    body: String,
    #[diesel(sql_type = Text)]
    in_files: String,
}

/// A document found.
pub struct Found {
    pub place: SearchPlace,
    pub item: LibraryItem,
}

/// Of what the words and the reader's audiences find together in one index, the newest thousand are ranked: a symbol before a
/// title, a title before a text. Without words everything is newest first.
macro_rules! find {
    ($words:literal, $fit:literal, $most:literal, $texts:literal) => {
        concat!(
            "WITH found AS (
                SELECT s.document_id, s.published_at, ",
            $fit,
            " AS fit FROM document_search s
                WHERE s.reach && audience_keys($1, $2, $3) AND ",
            $words,
            " AND EXISTS (SELECT 1 FROM documents d WHERE d.id = s.document_id
                    AND ($5::text IS NULL OR d.kind = $5) AND ($6::text IS NULL OR d.issuer_key = $6)
                    AND ($7::text IS NULL OR d.topic_keys @> ARRAY[$7]) AND ($8::text IS NULL OR d.state = $8))
                AND ($9::timestamptz IS NULL OR s.published_at >= $9) AND ($10::timestamptz IS NULL OR s.published_at < $10)
                ORDER BY s.published_at DESC, s.document_id DESC ",
            $most,
            "), page AS (
                SELECT * FROM found f WHERE ($12::int4 IS NULL OR (f.fit, f.published_at, f.document_id) < ($12, $13, $14))
                AND NOT ($11 AND EXISTS (SELECT 1 FROM reading_sessions s
                    WHERE s.document_id = f.document_id AND s.member_id = $1 AND s.completed_at IS NOT NULL))
                ORDER BY f.fit DESC, f.published_at DESC, f.document_id DESC LIMIT $15)
            SELECT p.fit, ",
            library_columns!("$1", "$2"),
            ", ",
            $texts,
            " FROM page p JOIN documents d ON d.id = p.document_id
            ORDER BY p.fit DESC, p.published_at DESC, p.document_id DESC"
        )
    };
}
const BY_WORDS: &str = find!(
    "s.words @@ $4::tsquery",
    "CASE WHEN s.symbol @@ $4::tsquery THEN 2 WHEN s.head @@ $4::tsquery THEN 1 ELSE 0 END",
    "LIMIT 1000",
    "left(d.body, 60000) AS body, coalesce((SELECT string_agg(left(c.body, 60000), ' ' ORDER BY f.id) FROM document_files f
        JOIN file_contents c ON c.sha256 = f.sha256 AND c.media_type = f.media_type
        WHERE f.document_id = d.id AND f.version = d.files_version), '') AS in_files"
);
const BY_DATE: &str = find!("$4::text IS NULL", "0", "", "'' AS body, '' AS in_files");

/// Finds documents for a member. No search lists everything that the filters leave.
pub async fn find(
    conn: &mut Conn,
    (member_id, home, day): (Uuid, &[Uuid], NaiveDate),
    (search, filters): (Option<&Search>, &Filters),
    (after, fetch): (Option<SearchPlace>, i64),
) -> Result<Vec<Found>, Problem> {
    let (fit, at, id) = after.map_or((None, None, None), |(fit, at, id)| (Some(fit), Some(at), Some(id)));
    // A plan for all words would fit none: how many documents have a word differs much.
    let rows: Vec<FoundRow> = sql_query(if search.is_some() { BY_WORDS } else { BY_DATE })
        .bind::<SqlUuid, _>(member_id)
        .bind::<Array<SqlUuid>, _>(home)
        .bind::<Date, _>(day)
        .bind::<Nullable<Text>, _>(search.map(Search::tsquery))
        .bind::<Nullable<Text>, _>(filters.kind.as_deref())
        .bind::<Nullable<Text>, _>(filters.issuer_key.as_deref())
        .bind::<Nullable<Text>, _>(filters.topic_key.as_deref())
        .bind::<Nullable<Text>, _>(filters.state.as_deref())
        .bind::<Nullable<Timestamptz>, _>(filters.from)
        .bind::<Nullable<Timestamptz>, _>(filters.until)
        .bind::<Bool, _>(filters.unread)
        .bind::<Nullable<Int4>, _>(fit)
        .bind::<Nullable<Timestamptz>, _>(at)
        .bind::<Nullable<SqlUuid>, _>(id)
        .bind::<BigInt, _>(fetch)
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(|found| show(found, search)).collect())
}

fn show(found: FoundRow, search: Option<&Search>) -> Found {
    let FoundRow { fit, listed: row, body, in_files } = found;
    let place = (fit, row.published_at, row.id);
    let passage = search.map(|search| {
        let head = format!("{} {}", row.symbol, row.title);
        // What fits by its name shows its name.
        let texts = match fit {
            0 => [row.summary.as_str(), &body, &in_files, &head],
            _ => [head.as_str(), &row.summary, &body, &in_files],
        };
        snippet(&texts, search)
    });
    Found { place, item: row.show(passage) }
}
