//! Queries on the members of a list, and the reading that a confirmed list completes.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Int4, Jsonb, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;
use crate::kernel::ids::new_id;

/// A member of a list, as things stand.
#[derive(Debug, QueryableByName)]
pub struct ListedReader {
    /// Whether the member belonged to the cell on the day.
    #[diesel(sql_type = Bool)]
    pub belongs: bool,
    /// Whether the member is marked as without a device.
    #[diesel(sql_type = Bool)]
    pub without_device: bool,
}

/// The members of a list, in its order. Unknown ids belong to no cell.
pub async fn listed(
    conn: &mut Conn,
    (unit_id, day): (Uuid, NaiveDate),
    member_ids: &[Uuid],
) -> Result<Vec<ListedReader>, Problem> {
    Ok(diesel::sql_query(
        "SELECT EXISTS (SELECT 1 FROM memberships s WHERE s.member_id = t.member_id AND s.unit_id = $2
                 AND s.valid_from <= $3 AND (s.valid_to IS NULL OR s.valid_to > $3)) AS belongs,
             coalesce(m.without_device, false) AS without_device
         FROM unnest($1::uuid[]) WITH ORDINALITY AS t (member_id, place) LEFT JOIN members m ON m.id = t.member_id
         ORDER BY t.place",
    )
    .bind::<Array<SqlUuid>, _>(member_ids)
    .bind::<SqlUuid, _>(unit_id)
    .bind::<Date, _>(day)
    .load(conn)
    .await?)
}

#[derive(QueryableByName)]
struct WaitingLists {
    #[diesel(sql_type = BigInt)]
    waiting: i64,
}

/// How many lists of a cell wait for a second officer.
pub async fn waiting(conn: &mut Conn, unit_id: Uuid, now: DateTime<Utc>) -> Result<i64, Problem> {
    let row: WaitingLists = diesel::sql_query(
        "SELECT count(*) AS waiting FROM decisions
         WHERE unit_id = $1 AND kind = 'assisted_reading' AND state = 'waiting' AND expires_at > $2",
    )
    .bind::<SqlUuid, _>(unit_id)
    .bind::<Timestamptz, _>(now)
    .get_result(conn)
    .await?;
    Ok(row.waiting)
}

/// A reading that officers vouch for.
pub struct VouchedReading<'a> {
    pub member_id: Uuid,
    pub document_id: Uuid,
    pub document_version: i32,
    pub receipt: &'a Value,
    /// Who recorded it.
    pub assisted_by: Uuid,
}

/// Completes the reading of a document for a member, unless the member has read it before.
pub async fn complete(conn: &mut Conn, reading: &VouchedReading<'_>, now: DateTime<Utc>) -> Result<(), Problem> {
    diesel::sql_query(
        "INSERT INTO reading_sessions (id, member_id, document_id, document_version, required_seconds, credited_ms, started_at,
             last_beat_at, expires_at, completed_at, receipt, assisted_by)
         SELECT $1, $2, $3, $4, 0, 0, $5, $5, $5, $5, $6, $7
         WHERE NOT EXISTS (SELECT 1 FROM reading_sessions WHERE member_id = $2 AND document_id = $3 AND completed_at IS NOT NULL)",
    )
    .bind::<SqlUuid, _>(new_id(now))
    .bind::<SqlUuid, _>(reading.member_id)
    .bind::<SqlUuid, _>(reading.document_id)
    .bind::<Int4, _>(reading.document_version)
    .bind::<Timestamptz, _>(now)
    .bind::<Jsonb, _>(reading.receipt)
    .bind::<SqlUuid, _>(reading.assisted_by)
    .execute(conn)
    .await?;
    Ok(())
}
