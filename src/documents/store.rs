//! Queries on documents that several actions share: the row, its reach, who opened it.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Date, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{document_openings, document_targets, documents};
use crate::kernel::db::statement::Prepared;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::security::auth::Principal;

/// Reaches members.
pub const PUBLISHED: &str = "published";
/// Not yet published; seen by those who may publish.
pub const DRAFT: &str = "draft";
/// A second officer has to look at it before it is published.
pub const IN_REVIEW: &str = "in_review";
/// Will be published at a planned time.
pub const SCHEDULED: &str = "scheduled";
/// Another document replaces or repeals it. It reaches members still, but earns nothing any more.
pub const SUPERSEDED: &str = "superseded";
/// Withdrawn; no member sees it any more.
pub const RECALLED: &str = "recalled";

/// A document as it stands, without its text, which is long and seldom needed.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = documents)]
pub struct DocumentRow {
    pub id: Uuid,
    /// The unit that owns it.
    pub unit_id: Uuid,
    pub symbol: String,
    pub kind: String,
    pub title: String,
    pub summary: String,
    pub words: i32,
    pub pages: Option<i32>,
    pub must_read_by: Option<NaiveDate>,
    pub state: String,
    pub version: i32,
    pub created_at: DateTime<Utc>,
    pub published_at: Option<DateTime<Utc>>,
    pub recalled_at: Option<DateTime<Utc>>,
    pub recall_reason: Option<String>,
    pub issuer: Option<String>,
    pub topics: Vec<String>,
    pub superseded_by: Option<Uuid>,
    pub files_version: i32,
}

impl DocumentRow {
    /// Whether members see it.
    pub fn is_out(&self) -> bool {
        self.state == PUBLISHED || self.state == SUPERSEDED
    }

    /// Whether it waits for its first publication.
    pub fn is_unpublished(&self) -> bool {
        self.published_at.is_none()
    }
}

/// One document. 404 when there is none.
pub async fn get(conn: &mut Conn, id: Uuid) -> Result<DocumentRow, Problem> {
    Ok(documents::table.find(id).select(DocumentRow::as_select()).first(conn).await?)
}

/// The same, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: Uuid) -> Result<DocumentRow, Problem> {
    Ok(documents::table.find(id).select(DocumentRow::as_select()).for_update().first(conn).await?)
}

/// Locks a document against changes until the end of the transaction: a recall or a change comes before it or after it.
pub async fn hold(conn: &mut Conn, id: Uuid) -> Result<(), Problem> {
    documents::table.find(id).select(documents::id).for_share().first::<Uuid>(conn).await?;
    Ok(())
}

/// The text of a document.
pub async fn body(conn: &mut Conn, id: Uuid) -> Result<String, Problem> {
    Ok(documents::table.find(id).select(documents::body).first(conn).await?)
}

#[derive(QueryableByName)]
struct Reaching {
    #[diesel(sql_type = diesel::sql_types::Int4)]
    version: i32,
    #[diesel(sql_type = diesel::sql_types::Text)]
    state: String,
}

/// The version and state in which a document reaches a caller; none when it does not.
pub async fn reaching(
    conn: &mut Conn,
    id: Uuid,
    caller: &Principal,
    now: DateTime<Utc>,
) -> Result<Option<(i32, String)>, Problem> {
    let query = diesel::sql_query(
        "SELECT d.version, d.state FROM documents d WHERE d.id = $1 AND d.state IN ('published', 'superseded')
         AND EXISTS (SELECT 1 FROM document_feed f WHERE f.document_id = d.id AND NOT f.removed
             AND f.key = ANY(audience_keys($2, $3, $4)))",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<SqlUuid, _>(caller.account_id)
    .bind::<Array<SqlUuid>, _>(&caller.home)
    .bind::<Date, _>(day_of(now));
    let found: Option<Reaching> = Prepared(query).get_result(conn).await.optional()?;
    Ok(found.map(|row| (row.version, row.state)))
}

/// Whether a document reaches a caller.
pub async fn reaches(conn: &mut Conn, id: Uuid, caller: &Principal, now: DateTime<Utc>) -> Result<bool, Problem> {
    Ok(reaching(conn, id, caller, now).await?.is_some())
}

#[derive(QueryableByName)]
struct ReachesUnit {
    #[diesel(sql_type = diesel::sql_types::Bool)]
    reaches: bool,
}

/// Whether a document reaches all members of the unit with this path: the unit, one above it, or its kind.
pub async fn reaches_unit(conn: &mut Conn, document_id: Uuid, path: &[Uuid], day: NaiveDate) -> Result<bool, Problem> {
    // No person is asked for, and so no named member and no role.
    let row: ReachesUnit = diesel::sql_query(
        "SELECT EXISTS (SELECT 1 FROM document_feed f WHERE f.document_id = $1 AND NOT f.removed
             AND f.key = ANY(audience_keys($2, $3, $4))) AS reaches",
    )
    .bind::<SqlUuid, _>(document_id)
    .bind::<SqlUuid, _>(Uuid::nil())
    .bind::<Array<SqlUuid>, _>(path)
    .bind::<Date, _>(day)
    .get_result(conn)
    .await?;
    Ok(row.reaches)
}

/// The units a document is distributed to, in order of their ids.
pub async fn targets(conn: &mut Conn, id: Uuid) -> Result<Vec<Uuid>, Problem> {
    Ok(document_targets::table
        .filter(document_targets::document_id.eq(id))
        .order(document_targets::unit_id)
        .select(document_targets::unit_id)
        .load(conn)
        .await?)
}

/// Records that an account has opened the document; only the first time counts.
pub async fn note_opening(conn: &mut Conn, id: Uuid, account_id: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    diesel::insert_into(document_openings::table)
        .values((
            document_openings::document_id.eq(id),
            document_openings::account_id.eq(account_id),
            document_openings::opened_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    Ok(())
}

/// What waits for a second officer or for its time stays as it is.
pub fn waits() -> Problem {
    Problem::with(
        Code::Conflict,
        "Tài liệu đang chờ duyệt hoặc chờ đến giờ ban hành; hãy rút lại trước khi sửa.",
        "The document waits for review or for its time: withdraw or recall that before changing it.",
    )
}

/// A recalled document stays as it is.
pub fn recalled() -> Problem {
    Problem::with(Code::Conflict, "Tài liệu đã bị thu hồi.", "The document was recalled.")
}
