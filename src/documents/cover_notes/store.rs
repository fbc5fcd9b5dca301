//! Rows of cover notes; every change notes its transaction for the sync.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{document_cover_notes, units};
use crate::kernel::http::problem::Problem;

use super::model::{UnitCoverNote, check_day};

/// Notes that one reader sees of a document: as many as units lie above a cell.
const MOST: i64 = 20;

/// A note to be written.
#[derive(Debug, Clone, Copy)]
pub struct NewCoverNote<'a> {
    pub document_id: Uuid,
    pub unit_id: Uuid,
    /// None when only a text is added.
    pub must_read_by: Option<NaiveDate>,
    pub text: &'a str,
    pub by: Uuid,
}

/// A note as it stands.
#[derive(Debug, Clone, Queryable)]
pub struct StoredCoverNote {
    pub must_read_by: Option<NaiveDate>,
    pub text: String,
    pub written_at: DateTime<Utc>,
}

/// Writes the note of a unit on a document, or writes it anew. `of_document` is the last day that the document itself sets.
///
/// # Errors
/// 400 for a day that is over or later than that of the document.
pub async fn write(
    conn: &mut Conn,
    new: NewCoverNote<'_>,
    of_document: Option<NaiveDate>,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    if let Some(day) = new.must_read_by {
        check_day(day, of_document, day_of(now))?;
    }
    diesel::sql_query(
        "INSERT INTO document_cover_notes (document_id, unit_id, must_read_by, text, written_by, written_at, xid)
         VALUES ($1, $2, $3, $4, $5, $6, pg_current_xact_id()::text::bigint)
         ON CONFLICT (document_id, unit_id) DO UPDATE SET must_read_by = excluded.must_read_by, text = excluded.text,
             written_by = excluded.written_by, written_at = excluded.written_at, removed = false, xid = excluded.xid",
    )
    .bind::<SqlUuid, _>(new.document_id)
    .bind::<SqlUuid, _>(new.unit_id)
    .bind::<Nullable<Date>, _>(new.must_read_by)
    .bind::<Text, _>(new.text)
    .bind::<SqlUuid, _>(new.by)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes the note of a unit back. 404 when there is none.
pub async fn remove(
    conn: &mut Conn,
    (document_id, unit_id): (Uuid, Uuid),
    by: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let removed = diesel::sql_query(
        "UPDATE document_cover_notes SET removed = true, must_read_by = NULL, text = '', written_by = $3, written_at = $4,
             xid = pg_current_xact_id()::text::bigint
         WHERE document_id = $1 AND unit_id = $2 AND NOT removed",
    )
    .bind::<SqlUuid, _>(document_id)
    .bind::<SqlUuid, _>(unit_id)
    .bind::<SqlUuid, _>(by)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    if removed == 0 { Err(Problem::not_found()) } else { Ok(()) }
}

/// The note of a unit on a document. 404 when there is none.
pub async fn get(conn: &mut Conn, document_id: Uuid, unit_id: Uuid) -> Result<StoredCoverNote, Problem> {
    Ok(document_cover_notes::table
        .find((document_id, unit_id))
        .filter(document_cover_notes::removed.eq(false))
        .select((document_cover_notes::must_read_by, document_cover_notes::text, document_cover_notes::written_at))
        .first(conn)
        .await?)
}

/// What these units say about a document.
pub async fn of_units(conn: &mut Conn, document_id: Uuid, home: &[Uuid]) -> Result<Vec<UnitCoverNote>, Problem> {
    let rows: Vec<(Uuid, String, Option<NaiveDate>, String)> = document_cover_notes::table
        .inner_join(units::table.on(units::id.eq(document_cover_notes::unit_id)))
        .filter(document_cover_notes::document_id.eq(document_id))
        .filter(document_cover_notes::unit_id.eq_any(home))
        .filter(document_cover_notes::removed.eq(false))
        .order(document_cover_notes::unit_id)
        .limit(MOST)
        .select((units::id, units::name, document_cover_notes::must_read_by, document_cover_notes::text))
        .load(conn)
        .await?;
    let show = |(unit_id, unit_name, must_read_by, text)| UnitCoverNote { unit_id, unit_name, must_read_by, text };
    Ok(rows.into_iter().map(show).collect())
}

/// Gives a new unit the notes of those that were merged or split; of several on one document the earliest day holds.
pub async fn carry_over(conn: &mut Conn, from_unit_ids: &[Uuid], to_unit_id: Uuid) -> Result<(), Problem> {
    diesel::sql_query(
        "INSERT INTO document_cover_notes (document_id, unit_id, must_read_by, text, written_by, written_at, xid)
         SELECT DISTINCT ON (document_id) document_id, $2, must_read_by, text, written_by, written_at,
             pg_current_xact_id()::text::bigint
         FROM document_cover_notes WHERE unit_id = ANY($1) AND NOT removed
         ORDER BY document_id, must_read_by NULLS LAST, written_at ON CONFLICT DO NOTHING",
    )
    .bind::<Array<SqlUuid>, _>(from_unit_ids)
    .bind::<SqlUuid, _>(to_unit_id)
    .execute(conn)
    .await?;
    Ok(())
}
