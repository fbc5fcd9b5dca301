//! Whom documents reach: one row per audience, derived from the distribution.
//!
//! Announcing costs as many rows as a document has targets, however many members there are: who belongs to an audience is
//! asked at the time of reading (`audience_keys` in SQL). Rows of what reaches an audience no more stay for the sync.

use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::document_feed;
use crate::kernel::db::sweep::SLICE;
use crate::kernel::http::problem::Problem;

use super::search;

/// How long phones learn of what was removed, days. Cursors of the sync are refused when they are older.
pub const REMOVED_KEPT_DAYS: i64 = 90;

/// Brings the audiences and the index up to date after any change of a document, inside the transaction of the change.
pub async fn refresh(conn: &mut Conn, document_id: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    diesel::sql_query(
        "WITH wanted AS (
             SELECT 'u:' || t.unit_id AS key FROM document_targets t JOIN documents d ON d.id = t.document_id
             WHERE t.document_id = $1 AND d.state IN ('published', 'superseded')
             UNION SELECT a.key FROM document_audiences a JOIN documents d ON d.id = a.document_id
             WHERE a.document_id = $1 AND d.state IN ('published', 'superseded')),
         gone AS (
             UPDATE document_feed SET removed = true, changed_at = $2, xid = pg_current_xact_id()::text::bigint
             WHERE document_id = $1 AND NOT removed AND key NOT IN (SELECT key FROM wanted))
         INSERT INTO document_feed (key, document_id, xid, changed_at, removed)
         SELECT key, $1, pg_current_xact_id()::text::bigint, $2, false FROM wanted
         ON CONFLICT (key, document_id) DO UPDATE SET xid = excluded.xid, changed_at = excluded.changed_at, removed = false",
    )
    .bind::<SqlUuid, _>(document_id)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    search::index(conn, document_id).await
}

/// The audiences that a document reaches.
pub async fn audiences(conn: &mut Conn, document_id: Uuid) -> Result<Vec<String>, Problem> {
    Ok(document_feed::table
        .filter(document_feed::document_id.eq(document_id))
        .filter(document_feed::removed.eq(false))
        .order(document_feed::key)
        .select(document_feed::key)
        .load(conn)
        .await?)
}

/// Drops some rows of what was removed long ago. Returns how many.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn sweep(conn: &mut Conn, now: DateTime<Utc>) -> Result<usize, Problem> {
    let before = now - Duration::days(REMOVED_KEPT_DAYS + 1);
    let notes = "DELETE FROM document_cover_notes WHERE (document_id, unit_id) IN (
        SELECT document_id, unit_id FROM document_cover_notes WHERE removed AND written_at < $1 ORDER BY written_at LIMIT $2)";
    let notes = diesel::sql_query(notes).bind::<Timestamptz, _>(before).bind::<BigInt, _>(SLICE).execute(conn).await?;
    let query = "DELETE FROM document_feed WHERE (key, document_id) IN (
        SELECT key, document_id FROM document_feed WHERE removed AND changed_at < $1 ORDER BY changed_at LIMIT $2)";
    let query = diesel::sql_query(query).bind::<Timestamptz, _>(before);
    Ok(query.bind::<BigInt, _>(SLICE).execute(conn).await?.max(notes))
}
