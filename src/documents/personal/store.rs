//! Rows of bookmarks and notes; every change notes its transaction for the sync.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::documents::library::{LibraryRow, library_columns};
use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::document_marks;
use crate::kernel::http::problem::Problem;
use crate::kernel::security::auth::Principal;

/// Notes that the member's state of a document has changed: it was read or confirmed.
pub async fn touch(conn: &mut Conn, account_id: Uuid, document_id: Uuid) -> Result<(), Problem> {
    diesel::sql_query(
        "INSERT INTO document_marks (account_id, document_id, xid) VALUES ($1, $2, pg_current_xact_id()::text::bigint)
         ON CONFLICT (account_id, document_id) DO UPDATE SET xid = excluded.xid",
    )
    .bind::<SqlUuid, _>(account_id)
    .bind::<SqlUuid, _>(document_id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Sets a bookmark, or takes it away. One that is set keeps its time.
pub async fn bookmark(
    conn: &mut Conn,
    account_id: Uuid,
    document_id: Uuid,
    at: Option<DateTime<Utc>>,
) -> Result<(), Problem> {
    diesel::sql_query(
        "INSERT INTO document_marks (account_id, document_id, bookmarked_at, xid)
         SELECT $1, id, $3, pg_current_xact_id()::text::bigint FROM documents WHERE id = $2
         ON CONFLICT (account_id, document_id) DO UPDATE SET xid = excluded.xid,
             bookmarked_at = CASE WHEN excluded.bookmarked_at IS NULL THEN NULL
                 ELSE coalesce(document_marks.bookmarked_at, excluded.bookmarked_at) END",
    )
    .bind::<SqlUuid, _>(account_id)
    .bind::<SqlUuid, _>(document_id)
    .bind::<Nullable<Timestamptz>, _>(at)
    .execute(conn)
    .await?;
    Ok(())
}

/// A bookmarked document, with the time of its bookmark.
#[derive(QueryableByName)]
pub struct Bookmarked {
    #[diesel(sql_type = Timestamptz)]
    pub bookmarked_at: DateTime<Utc>,
    #[diesel(embed)]
    pub row: LibraryRow,
}

/// The bookmarks of documents that reach the caller, the latest first.
pub async fn bookmarks(
    conn: &mut Conn,
    caller: &Principal,
    after: Option<(DateTime<Utc>, Uuid)>,
    fetch: i64,
    now: DateTime<Utc>,
) -> Result<Vec<Bookmarked>, Problem> {
    let (at, id) = after.unzip();
    Ok(diesel::sql_query(concat!(
        "SELECT b.bookmarked_at, ",
        library_columns!("$1", "$2"),
        " FROM document_marks b JOIN documents d ON d.id = b.document_id
          WHERE b.account_id = $1 AND b.bookmarked_at IS NOT NULL AND d.state IN ('published', 'superseded')
          AND EXISTS (SELECT 1 FROM document_feed f WHERE f.document_id = d.id AND NOT f.removed
              AND f.key = ANY(audience_keys($1, $2, $3)))
          AND ($4 IS NULL OR (b.bookmarked_at, b.document_id) < ($4, $5))
          ORDER BY b.bookmarked_at DESC, b.document_id DESC LIMIT $6"
    ))
    .bind::<SqlUuid, _>(caller.account_id)
    .bind::<Array<SqlUuid>, _>(&caller.home)
    .bind::<Date, _>(day_of(now))
    .bind::<Nullable<Timestamptz>, _>(at)
    .bind::<Nullable<SqlUuid>, _>(id)
    .bind::<BigInt, _>(fetch)
    .load(conn)
    .await?)
}

/// The member's note on a document, empty when there is none.
pub async fn note(
    conn: &mut Conn,
    account_id: Uuid,
    document_id: Uuid,
    lock: bool,
) -> Result<(String, Option<DateTime<Utc>>), Problem> {
    let own = document_marks::table
        .find((account_id, document_id))
        .select((document_marks::note, document_marks::note_changed_at));
    let found = match lock {
        true => own.for_update().first(conn).await.optional()?,
        false => own.first(conn).await.optional()?,
    };
    Ok(found.unwrap_or_default())
}

/// Writes the member's note on a document.
pub async fn write_note(
    conn: &mut Conn,
    account_id: Uuid,
    document_id: Uuid,
    text: &str,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    diesel::sql_query(
        "INSERT INTO document_marks (account_id, document_id, note, note_changed_at, xid)
         VALUES ($1, $2, $3, $4, pg_current_xact_id()::text::bigint)
         ON CONFLICT (account_id, document_id) DO UPDATE SET xid = excluded.xid, note = excluded.note,
             note_changed_at = excluded.note_changed_at",
    )
    .bind::<SqlUuid, _>(account_id)
    .bind::<SqlUuid, _>(document_id)
    .bind::<Text, _>(text)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(())
}
