//! Reading sessions: start, heartbeats, completion. One clock a member runs, that of the server.

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use crate::documents::OBJECT_KIND;
use crate::documents::model::{ReadingSpeed, credit, required_seconds};
use crate::documents::personal::touch;
use crate::documents::store::{DocumentRow, PUBLISHED, hold, note_opening, reaching};
use crate::kernel::config::Config;
use crate::kernel::db::Conn;
use crate::kernel::db::sweep::Round;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::security::auth::Principal;
use crate::points::{self, Award, Deed};

use super::store::{self, NewSession, StoredSession};

/// What is read: the event that rules listen to.
pub const READ: &str = "document.read";
/// What is confirmed.
const ACKNOWLEDGED: &str = "document.acknowledged";

/// Opens a session for the present version of a document.
pub async fn start(
    conn: &mut Conn,
    config: &Config,
    member_id: Uuid,
    document: &DocumentRow,
    now: DateTime<Utc>,
) -> Result<StoredSession, Problem> {
    let pace = ReadingSpeed {
        words_per_minute: config.reading_words_per_minute,
        floor: config.reading_floor_seconds,
        ceiling: config.reading_ceiling_seconds,
    };
    let new = NewSession {
        member_id,
        document_id: document.id,
        document_version: document.version,
        required_seconds: required_seconds(document.words, document.pages, pace),
        expires_at: now + Duration::seconds(i64::from(config.reading_session_seconds)),
    };
    require_in_force(&document.state)?;
    note_opening(conn, document.id, member_id, now).await?;
    store::open(conn, &new, now).await
}

/// Credits the time since the last request when this session's clock runs; otherwise lets it run from now on.
pub async fn beat(
    conn: &mut Conn,
    config: &Config,
    caller: &Principal,
    session_id: Uuid,
    now: DateTime<Utc>,
) -> Result<StoredSession, Problem> {
    let active = store::lock_active(conn, caller.account_id).await?;
    let mut session = store::lock(conn, session_id).await?;
    if session.completed_at.is_some() {
        return Ok(session);
    }
    require_open(conn, &session, caller, now).await?;
    if active == Some(session.id) {
        take_credit(&mut session, config, now);
    } else {
        store::activate(conn, caller.account_id, session.id).await?;
        session.last_beat_at = session.last_beat_at.max(now);
    }
    store::write_beat(conn, &session).await?;
    Ok(session)
}

/// Ends a session that was read for long enough and awards its points. A finished one returns its first answer again.
pub async fn complete(
    conn: &mut Conn,
    config: &Config,
    caller: &Principal,
    session_id: Uuid,
    now: DateTime<Utc>,
) -> Result<serde_json::Value, Problem> {
    points::lock_month(conn, caller.account_id, now).await?;
    let active = store::lock_active(conn, caller.account_id).await?;
    let mut session = store::lock(conn, session_id).await?;
    if let Some(receipt) = session.receipt {
        return Ok(receipt);
    }
    hold(conn, session.document_id).await?;
    require_open(conn, &session, caller, now).await?;
    if active != Some(session.id) {
        return Err(Problem::new(Code::ReadingPaused));
    }
    take_credit(&mut session, config, now);
    let missing = i64::from(session.required_seconds) * 1000 - session.credited_ms;
    if missing > 0 {
        let seconds = (missing + 999) / 1000;
        return Err(Problem::with(
            Code::ReadingTooShort,
            format!("Cần đọc thêm {seconds} giây."),
            format!("Read for {seconds} more second(s)."),
        ));
    }
    let award = award(conn, caller.account_id, READ, session.document_id, now).await?;
    let receipt = serde_json::to_value(&award).map_err(Problem::internal)?;
    store::finish(conn, &session, &receipt, now).await?;
    touch(conn, caller.account_id, session.document_id).await?;
    Ok(receipt)
}

/// Records that a member confirms a must-read document. Confirming again earns nothing more, unless a cap stood in the
/// way. The second part says whether it was the first time.
pub async fn acknowledge(
    conn: &mut Conn,
    caller: &Principal,
    document: &DocumentRow,
    now: DateTime<Utc>,
) -> Result<(Award, bool), Problem> {
    if document.must_read_by.is_none() {
        return Err(Problem::with(
            Code::RuleNotMet,
            "Tài liệu này không yêu cầu xác nhận.",
            "This document asks for no confirmation.",
        ));
    }
    let member_id = caller.account_id;
    points::lock_month(conn, member_id, now).await?;
    hold(conn, document.id).await?;
    let (_, state) = reaching(conn, document.id, caller, now).await?.ok_or_else(Problem::not_found)?;
    require_in_force(&state)?;
    let award = award(conn, member_id, ACKNOWLEDGED, document.id, now).await?;
    let first = store::acknowledge(conn, document.id, member_id, now).await?;
    touch(conn, member_id, document.id).await?;
    Ok((award, first))
}

async fn award(
    conn: &mut Conn,
    member_id: Uuid,
    event: &'static str,
    document_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Award, Problem> {
    let deed = Deed { event, object_kind: OBJECT_KIND, object_id: document_id.to_string(), ..Deed::default() };
    points::award(conn, member_id, &deed, now).await
}

/// The document must still be there for the member, in the version that the session was opened for, and time must be left.
async fn require_open(
    conn: &mut Conn,
    session: &StoredSession,
    caller: &Principal,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let (version, state) = reaching(conn, session.document_id, caller, now).await?.ok_or_else(Problem::not_found)?;
    require_in_force(&state)?;
    if session.expires_at <= now {
        return Err(Problem::new(Code::ReadingExpired));
    }
    if version != session.document_version {
        return Err(Problem::new(Code::DocumentChanged));
    }
    Ok(())
}

/// What another document replaces is read for its own sake.
///
/// # Errors
/// 409 for a document that another one replaced.
pub fn require_in_force(state: &str) -> Result<(), Problem> {
    if state == PUBLISHED {
        return Ok(());
    }
    Err(Problem::with(
        Code::Conflict,
        "Tài liệu đã được thay thế; hãy đọc tài liệu mới.",
        "Another document has taken its place: read that one.",
    ))
}

fn take_credit(session: &mut StoredSession, config: &Config, now: DateTime<Utc>) {
    session.credited_ms += credit(session.last_beat_at, now, config.reading_gap_seconds);
    session.last_beat_at = session.last_beat_at.max(now);
}

/// How long a session that came to nothing is kept, days.
const KEPT_DAYS: i64 = 30;

/// Old sessions go, but for those by which a document was read first: who has read what is told from them.
static OLD: Round = Round::new(
    "reading_sessions",
    "gone AS (DELETE FROM reading_sessions s USING looked WHERE s.id = looked.id AND s.expires_at < $4
        AND NOT EXISTS (SELECT 1 FROM active_readings a WHERE a.member_id = s.member_id AND a.session_id = s.id)
        AND (s.completed_at IS NULL OR EXISTS (SELECT 1 FROM reading_sessions f WHERE f.document_id = s.document_id
            AND f.member_id = s.member_id AND f.id < s.id AND f.completed_at IS NOT NULL)))",
);

/// Drops some old sessions. Returns whether there may be more.
pub async fn sweep(conn: &mut Conn, now: DateTime<Utc>) -> Result<bool, Problem> {
    OLD.slice(conn, now - Duration::days(KEPT_DAYS)).await
}
