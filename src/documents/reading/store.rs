//! Rows of reading sessions and of the running one.
//! Lock order: the member's month, the running session, the session itself.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::{active_readings, document_acknowledgements, reading_sessions};
use crate::kernel::http::problem::Problem;
use crate::kernel::ids::new_id;

/// Unfinished sessions a member may have; older ones are closed.
const MOST_OPEN: i64 = 20;

/// A reading session as it stands.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = reading_sessions)]
pub struct StoredSession {
    pub id: Uuid,
    pub member_id: Uuid,
    pub document_id: Uuid,
    pub document_version: i32,
    pub required_seconds: i32,
    pub credited_ms: i64,
    pub last_beat_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub completed_at: Option<DateTime<Utc>>,
    pub receipt: Option<Value>,
}

/// A session to be opened.
pub struct NewSession {
    pub member_id: Uuid,
    pub document_id: Uuid,
    pub document_version: i32,
    pub required_seconds: i32,
    pub expires_at: DateTime<Utc>,
}

/// Whether the session is the member's own.
pub async fn belongs_to(conn: &mut Conn, id: Uuid, member_id: Uuid) -> Result<bool, Problem> {
    let own = reading_sessions::table.find(id).filter(reading_sessions::member_id.eq(member_id));
    Ok(diesel::select(diesel::dsl::exists(own)).get_result(conn).await?)
}

/// Opens a session, lets its clock be the one that runs, and closes the oldest ones beyond the limit.
pub async fn open(conn: &mut Conn, new: &NewSession, now: DateTime<Utc>) -> Result<StoredSession, Problem> {
    let session = diesel::insert_into(reading_sessions::table)
        .values((
            reading_sessions::id.eq(new_id(now)),
            reading_sessions::member_id.eq(new.member_id),
            reading_sessions::document_id.eq(new.document_id),
            reading_sessions::document_version.eq(new.document_version),
            reading_sessions::required_seconds.eq(new.required_seconds),
            reading_sessions::started_at.eq(now),
            reading_sessions::last_beat_at.eq(now),
            reading_sessions::expires_at.eq(new.expires_at),
        ))
        .returning(StoredSession::as_returning())
        .get_result(conn)
        .await?;
    activate(conn, new.member_id, session.id).await?;
    close_surplus(conn, new.member_id, session.id, now).await?;
    Ok(session)
}

async fn close_surplus(conn: &mut Conn, member_id: Uuid, newest: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    let surplus: Vec<Uuid> = reading_sessions::table
        .filter(reading_sessions::member_id.eq(member_id))
        .filter(reading_sessions::id.ne(newest))
        .filter(reading_sessions::completed_at.is_null())
        .filter(reading_sessions::expires_at.gt(now))
        .order((reading_sessions::started_at.desc(), reading_sessions::id.desc()))
        .offset(MOST_OPEN - 1)
        .select(reading_sessions::id)
        .load(conn)
        .await?;
    diesel::update(reading_sessions::table.filter(reading_sessions::id.eq_any(surplus)))
        .set(reading_sessions::expires_at.eq(now))
        .execute(conn)
        .await?;
    Ok(())
}

/// Lets the session's clock be the one that runs; the row stays locked.
pub async fn activate(conn: &mut Conn, member_id: Uuid, session_id: Uuid) -> Result<(), Problem> {
    diesel::insert_into(active_readings::table)
        .values((active_readings::member_id.eq(member_id), active_readings::session_id.eq(session_id)))
        .on_conflict(active_readings::member_id)
        .do_update()
        .set(active_readings::session_id.eq(session_id))
        .execute(conn)
        .await?;
    Ok(())
}

/// Which session's clock runs; locked until the end of the transaction.
pub async fn lock_active(conn: &mut Conn, member_id: Uuid) -> Result<Option<Uuid>, Problem> {
    Ok(active_readings::table
        .find(member_id)
        .select(active_readings::session_id)
        .for_update()
        .first(conn)
        .await
        .optional()?)
}

/// A session, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: Uuid) -> Result<StoredSession, Problem> {
    Ok(reading_sessions::table.find(id).select(StoredSession::as_select()).for_update().first(conn).await?)
}

/// Writes what the session has been credited with.
pub async fn write_beat(conn: &mut Conn, session: &StoredSession) -> Result<(), Problem> {
    diesel::update(reading_sessions::table.find(session.id))
        .set((
            reading_sessions::credited_ms.eq(session.credited_ms),
            reading_sessions::last_beat_at.eq(session.last_beat_at),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends a session with its receipt; no clock of the member runs then.
pub async fn finish(
    conn: &mut Conn,
    session: &StoredSession,
    receipt: &Value,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    write_beat(conn, session).await?;
    diesel::update(reading_sessions::table.find(session.id))
        .set((reading_sessions::completed_at.eq(now), reading_sessions::receipt.eq(receipt)))
        .execute(conn)
        .await?;
    diesel::delete(active_readings::table.find(session.member_id)).execute(conn).await?;
    Ok(())
}

/// Writes a session that is complete when it begins: the reading was proved by answers, not by time.
pub async fn complete_at_once(
    conn: &mut Conn,
    member_id: Uuid,
    (document_id, version): (Uuid, i32),
    receipt: &Value,
    at: DateTime<Utc>,
) -> Result<(), Problem> {
    diesel::insert_into(reading_sessions::table)
        .values((
            reading_sessions::id.eq(new_id(at)),
            reading_sessions::member_id.eq(member_id),
            reading_sessions::document_id.eq(document_id),
            reading_sessions::document_version.eq(version),
            reading_sessions::required_seconds.eq(0),
            reading_sessions::started_at.eq(at),
            reading_sessions::last_beat_at.eq(at),
            reading_sessions::expires_at.eq(at),
            reading_sessions::completed_at.eq(at),
            reading_sessions::receipt.eq(receipt),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Records that a member has confirmed a document; only the first time counts.
pub async fn acknowledge(
    conn: &mut Conn,
    document_id: Uuid,
    member_id: Uuid,
    now: DateTime<Utc>,
) -> Result<bool, Problem> {
    let written = diesel::insert_into(document_acknowledgements::table)
        .values((
            document_acknowledgements::document_id.eq(document_id),
            document_acknowledgements::member_id.eq(member_id),
            document_acknowledgements::acknowledged_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    Ok(written == 1)
}
