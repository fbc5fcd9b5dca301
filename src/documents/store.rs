//! Queries on documents that several actions share: the row, its reach, who opened it.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::{document_openings, document_targets, documents};
use crate::kernel::http::problem::{Code, Problem};

/// Only published documents reach members.
pub const PUBLISHED: &str = "published";
/// Not yet published; seen by those who may publish.
pub const DRAFT: &str = "draft";
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
    pub status: String,
    pub version: i32,
    pub created_at: DateTime<Utc>,
    pub published_at: Option<DateTime<Utc>>,
    pub recalled_at: Option<DateTime<Utc>>,
    pub recall_reason: Option<String>,
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

/// The version in which a document is published to one of these units, a cell and its ancestors; none when it is not.
pub async fn reaching_version(conn: &mut Conn, id: Uuid, home: &[Uuid]) -> Result<Option<i32>, Problem> {
    Ok(documents::table
        .inner_join(document_targets::table.on(document_targets::document_id.eq(documents::id)))
        .filter(documents::id.eq(id))
        .filter(documents::status.eq(PUBLISHED))
        .filter(document_targets::unit_id.eq_any(home))
        .select(documents::version)
        .first(conn)
        .await
        .optional()?)
}

/// Whether a document is published to one of these units: a cell and its ancestors.
pub async fn reaches(conn: &mut Conn, id: Uuid, home: &[Uuid]) -> Result<bool, Problem> {
    Ok(reaching_version(conn, id, home).await?.is_some())
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

/// Counts a change: sessions opened for what it was before cannot be completed any more.
pub async fn next_version(conn: &mut Conn, id: Uuid) -> Result<(), Problem> {
    diesel::update(documents::table.find(id)).set(documents::version.eq(documents::version + 1)).execute(conn).await?;
    Ok(())
}

/// A recalled document stays as it is.
pub fn recalled() -> Problem {
    Problem::with(Code::Conflict, "Tài liệu đã bị thu hồi.", "The document was recalled.")
}
