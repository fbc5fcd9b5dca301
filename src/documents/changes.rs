//! What changed for a member since a transaction: for phones that synchronise.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Date, Nullable, Text, Uuid as SqlUuid};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::statement::Prepared;
use crate::kernel::http::problem::Problem;
use crate::kernel::security::auth::Principal;

use super::library::{LibraryItem, LibraryRow, library_columns};

/// A document that changed, for its audience or for the member alone.
#[derive(Debug, Clone, Copy, QueryableByName)]
pub struct ChangedDocument {
    /// The transaction of the change.
    #[diesel(sql_type = BigInt)]
    pub xid: i64,
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
}

/// The member whose phone synchronises.
#[derive(Debug, Clone, Copy)]
pub struct SyncReader<'a> {
    pub account_id: Uuid,
    /// The audiences that the member belongs to.
    pub keys: &'a [String],
    /// The cell and the units above it.
    pub home: &'a [Uuid],
}

#[derive(QueryableByName)]
struct KeysRow {
    #[diesel(sql_type = Array<Text>)]
    keys: Vec<String>,
}

/// The audiences that a caller belongs to, in their order.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn audiences(conn: &mut Conn, caller: &Principal, now: DateTime<Utc>) -> Result<Vec<String>, Problem> {
    let query = sql_query("SELECT audience_keys($1, $2, $3) AS keys")
        .bind::<SqlUuid, _>(caller.account_id)
        .bind::<Array<SqlUuid>, _>(&caller.home)
        .bind::<Date, _>(day_of(now));
    let row: KeysRow = Prepared(query).get_result(conn).await?;
    Ok(row.keys)
}

/// The documents that changed in this transaction or later, in the order of their last change: as many rows are looked at as
/// there are changes. Without a beginning, those that reach the audiences now.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn changed(
    conn: &mut Conn,
    reader: SyncReader<'_>,
    (since, after): (Option<i64>, Option<(i64, Uuid)>),
    fetch: i64,
) -> Result<Vec<ChangedDocument>, Problem> {
    let (xid, id) = after.unzip();
    let query = sql_query(
        "SELECT max(xid) AS xid, id FROM (
             (SELECT f.xid, f.document_id AS id FROM document_feed f
              WHERE f.key = ANY($2) AND f.xid >= coalesce($4, $3, 0) AND NOT ($3 IS NULL AND f.removed))
             UNION ALL
             (SELECT m.xid, m.document_id FROM document_marks m
              WHERE m.account_id = $1 AND $3 IS NOT NULL AND m.xid >= coalesce($4, $3))
             UNION ALL
             (SELECT n.xid, n.document_id FROM document_cover_notes n
              WHERE n.unit_id = ANY($7) AND $3 IS NOT NULL AND n.xid >= coalesce($4, $3))) c
         GROUP BY id HAVING $4 IS NULL OR (max(xid), id) > ($4, $5) ORDER BY max(xid), id LIMIT $6",
    )
    .bind::<SqlUuid, _>(reader.account_id)
    .bind::<Array<Text>, _>(reader.keys)
    .bind::<Nullable<BigInt>, _>(since)
    .bind::<Nullable<BigInt>, _>(xid)
    .bind::<Nullable<SqlUuid>, _>(id)
    .bind::<BigInt, _>(fetch)
    .bind::<Array<SqlUuid>, _>(reader.home);
    Ok(Prepared(query).load(conn).await?)
}

/// Those of these documents that reach the audiences, as lists show them.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn shown(conn: &mut Conn, reader: SyncReader<'_>, ids: &[Uuid]) -> Result<Vec<LibraryItem>, Problem> {
    let query = sql_query(concat!(
        "SELECT ",
        library_columns!("$1", "$4"),
        " FROM documents d WHERE d.id = ANY($2) AND d.state IN ('published', 'superseded')
          AND EXISTS (SELECT 1 FROM document_feed f WHERE f.document_id = d.id AND NOT f.removed AND f.key = ANY($3))
          ORDER BY d.published_at DESC, d.id DESC"
    ))
    .bind::<SqlUuid, _>(reader.account_id)
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Text>, _>(reader.keys)
    .bind::<Array<SqlUuid>, _>(reader.home);
    let rows: Vec<LibraryRow> = Prepared(query).load(conn).await?;
    Ok(rows.into_iter().map(|row| row.show(None)).collect())
}

#[derive(QueryableByName)]
struct HorizonRow {
    #[diesel(sql_type = BigInt)]
    horizon: i64,
    #[diesel(sql_type = Bool)]
    known: bool,
}

/// The oldest transaction that may still commit: what is older has been seen. And whether the database has come as far as a cursor
/// says; after a restore from a backup it has not.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn horizon(conn: &mut Conn, since: Option<i64>) -> Result<(i64, bool), Problem> {
    let query = sql_query(
        "SELECT h.horizon, coalesce($1 <= h.horizon, true) AS known
         FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon) h",
    )
    .bind::<Nullable<BigInt>, _>(since);
    let row: HorizonRow = Prepared(query).get_result(conn).await?;
    Ok((row.horizon, row.known))
}
