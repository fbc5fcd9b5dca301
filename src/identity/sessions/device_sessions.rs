//! Device sessions: opening, refreshing, listing and revoking them.

use chrono::{DateTime, Duration, DurationRound, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::{accounts, sessions};
use crate::kernel::db::sweep::Round;
use crate::kernel::http::problem::Problem;
use crate::kernel::ids::new_id;
use crate::kernel::outbox;
use crate::kernel::security::audit;

use super::tokens::Issue;

/// Maximum number of live sessions of one account.
const MOST_LIVE: i64 = 10;
/// How long the last refresh token may be repeated because its answer got lost, seconds.
const GRACE_SECONDS: i64 = 30;
/// Clocks of instances may differ by this, seconds; a rotation later than that from now is older than it says.
const CLOCK_SKEW_SECONDS: i64 = 60;

/// Why a session ended.
#[derive(Debug, Clone, Copy)]
pub enum Because {
    SignedOut,
    Revoked,
    TooMany,
    PasswordChanged,
    SlipRedeemed,
    Reuse,
    Suspended,
}

impl Because {
    fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Revoked => "revoked",
            Self::TooMany => "too_many",
            Self::PasswordChanged => "password_changed",
            Self::SlipRedeemed => "slip_redeemed",
            Self::Reuse => "reuse",
            Self::Suspended => "suspended",
        }
    }
}

/// A sign-in whose credentials were verified.
pub struct Opening<'a> {
    pub account_id: Uuid,
    pub device_id: Uuid,
    pub device_name: &'a str,
    pub request_id: &'a str,
    /// Lifetime without use, days.
    pub days: u32,
}

/// Serialises the changes of one account.
pub async fn lock_account(conn: &mut Conn, account_id: Uuid) -> Result<(), Problem> {
    accounts::table.find(account_id).select(accounts::id).for_update().first::<Uuid>(conn).await?;
    Ok(())
}

/// Opens a session on a locked account; the oldest one ends when there are too many.
pub async fn open(conn: &mut Conn, opening: &Opening<'_>, now: DateTime<Utc>) -> Result<Issue, Problem> {
    let surplus: Vec<Uuid> = live(opening.account_id, now)
        .order((sessions::created_at.desc(), sessions::id.desc()))
        .offset(MOST_LIVE - 1)
        .limit(MOST_LIVE)
        .select(sessions::id)
        .load(conn)
        .await?;
    end(conn, &surplus, Because::TooMany, now).await?;
    let session_id = new_id(now);
    diesel::insert_into(sessions::table)
        .values((
            sessions::id.eq(session_id),
            sessions::account_id.eq(opening.account_id),
            sessions::device_id.eq(opening.device_id),
            sessions::device_name.eq(opening.device_name.trim()),
            sessions::created_at.eq(now),
            sessions::last_used_at.eq(now),
            sessions::expires_at.eq(now + Duration::days(i64::from(opening.days))),
            sessions::generation.eq(0),
            sessions::rotated_at.eq(now),
        ))
        .execute(conn)
        .await?;
    let event = own_event(opening.account_id, "session.opened", session_id);
    let event = audit::AuditEvent { request_id: Some(opening.request_id), ..event };
    audit::record(conn, event, now).await?;
    let opened = json!({"account_id": opening.account_id, "device_id": opening.device_id, "at": now});
    outbox::emit(conn, "identity.session_opened", opened, now).await?;
    Ok(Issue { account_id: opening.account_id, session_id, generation: 0, device_id: opening.device_id })
}

/// How long an ended session keeps its device, days.
const DEVICE_KEPT_DAYS: i64 = 42;

/// Sessions that ended weeks ago go, but for each account's latest, which tells that it was signed in once; on which device that
/// was is forgotten.
static ENDED: Round = Round::new(
    "sessions",
    "ended AS (
        SELECT s.id, EXISTS (SELECT 1 FROM sessions n WHERE n.account_id = s.account_id AND n.id > s.id) AS followed
        FROM looked JOIN sessions s ON s.id = looked.id WHERE least(s.expires_at, s.revoked_at) < $4),
    forgotten AS (UPDATE sessions s SET device_id = NULL FROM ended
        WHERE s.id = ended.id AND NOT ended.followed AND s.device_id IS NOT NULL),
    gone AS (DELETE FROM sessions s USING ended WHERE s.id = ended.id AND ended.followed)",
);

/// Forgets some sessions that ended weeks ago. Returns whether there may be more.
pub async fn sweep(conn: &mut Conn, now: DateTime<Utc>) -> Result<bool, Problem> {
    ENDED.slice(conn, now - Duration::days(DEVICE_KEPT_DAYS)).await
}

/// An audit event about a session, by its owner.
fn own_event(account_id: Uuid, action: &'static str, session_id: Uuid) -> audit::AuditEvent<'static> {
    audit::AuditEvent {
        client_id: None,
        actor_id: Some(account_id),
        action,
        object_kind: "session",
        object_id: session_id,
        unit_id: None,
        member_id: Some(account_id),
        request_id: None,
        details: json!({}),
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions)]
struct Refreshed {
    account_id: Uuid,
    device_id: Option<Uuid>,
    expires_at: DateTime<Utc>,
    generation: i32,
    rotated_at: DateTime<Utc>,
    revoked_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    replayed_generation: Option<i32>,
    client_id: Option<Uuid>,
}

impl Refreshed {
    /// Whether a token of the generation before may be repeated now. In two generations running it is no lost answer any
    /// more: two people have the session, and each takes what the other was given.
    fn forgives(&self, generation: i32, now: DateTime<Utc>) -> bool {
        let age = now.signed_duration_since(self.rotated_at).num_seconds();
        generation + 1 == self.generation
            && (-CLOCK_SKEW_SECONDS..=GRACE_SECONDS).contains(&age)
            && self.replayed_generation.is_none_or(|replayed| replayed + 1 != generation)
    }
}

/// When a session was used, no finer than its owner needs to recognise it: the hour.
fn coarse(now: DateTime<Utc>, created_at: DateTime<Utc>) -> DateTime<Utc> {
    now.duration_trunc(Duration::hours(1)).unwrap_or(now).max(created_at)
}

/// Advances the generation of a refresh token and returns the next one. Returns none when the session is over, or is not
/// that of the app, or of the handbook's own app, which shows the token. A token that was used before ends the session, and the
/// caller must commit that.
pub async fn refresh(
    conn: &mut Conn,
    (session_id, generation): (Uuid, i32),
    client_id: Option<Uuid>,
    days: u32,
    now: DateTime<Utc>,
) -> Result<Option<Issue>, Problem> {
    let found: Option<Refreshed> =
        sessions::table.find(session_id).select(Refreshed::as_select()).for_update().first(conn).await.optional()?;
    let Some(session) = found.filter(|session| session.client_id == client_id) else {
        return Ok(None);
    };
    let disabled: Option<DateTime<Utc>> =
        accounts::table.find(session.account_id).select(accounts::disabled_at).first(conn).await?;
    if disabled.is_some() || session.revoked_at.is_some() || session.expires_at <= now {
        return Ok(None);
    }
    let next = if generation == session.generation {
        diesel::update(sessions::table.find(session_id))
            .set((
                sessions::generation.eq(generation + 1),
                sessions::rotated_at.eq(now),
                sessions::last_used_at.eq(coarse(now, session.created_at)),
                sessions::expires_at.eq(now + Duration::days(i64::from(days))),
            ))
            .execute(conn)
            .await?;
        generation + 1
    } else if session.forgives(generation, now) {
        diesel::update(sessions::table.find(session_id))
            .set(sessions::replayed_generation.eq(generation))
            .execute(conn)
            .await?;
        session.generation
    } else {
        end_reused(conn, session.account_id, session_id, now).await?;
        return Ok(None);
    };
    Ok(Some(Issue {
        account_id: session.account_id,
        session_id,
        generation: next,
        device_id: session.device_id.unwrap_or(session_id),
    }))
}

/// Ends a session whose refresh token was reused, and notifies its owner.
async fn end_reused(conn: &mut Conn, account_id: Uuid, session_id: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    end(conn, &[session_id], Because::Reuse, now).await?;
    report_reuse(conn, account_id, session_id, now).await
}

/// Records that a token of a session was used twice, and tells its owner.
pub async fn report_reuse(
    conn: &mut Conn,
    account_id: Uuid,
    session_id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let event = audit::AuditEvent { actor_id: None, ..own_event(account_id, "session.reuse_detected", session_id) };
    audit::record(conn, event, now).await?;
    notify(conn, "sessions_revoked", account_id, json!({}), now).await
}

/// Notifies a person of an event on their account.
pub async fn notify(
    conn: &mut Conn,
    kind: &str,
    account_id: Uuid,
    details: Value,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    outbox::tell(conn, kind, &[account_id], &details, now).await
}

/// Live sessions on devices.
#[diesel::dsl::auto_type(no_type_alias)]
fn live(account_id: Uuid, now: DateTime<Utc>) -> _ {
    sessions::table
        .filter(sessions::account_id.eq(account_id))
        .filter(sessions::client_id.is_null())
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(now))
}

/// Live sessions, those of apps too.
#[diesel::dsl::auto_type(no_type_alias)]
fn everywhere(account_id: Uuid, now: DateTime<Utc>) -> _ {
    sessions::table
        .filter(sessions::account_id.eq(account_id))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(now))
}

pub(super) async fn end(conn: &mut Conn, ids: &[Uuid], because: Because, now: DateTime<Utc>) -> Result<(), Problem> {
    diesel::update(sessions::table.filter(sessions::id.eq_any(ids)))
        .set((sessions::revoked_at.eq(now), sessions::revoked_because.eq(because.as_str())))
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends a live session of an account. Returns false when there is none.
pub async fn revoke(
    conn: &mut Conn,
    account_id: Uuid,
    session_id: Uuid,
    because: Because,
    now: DateTime<Utc>,
) -> Result<bool, Problem> {
    let found: Vec<Uuid> =
        live(account_id, now).filter(sessions::id.eq(session_id)).select(sessions::id).load(conn).await?;
    end(conn, &found, because, now).await?;
    Ok(!found.is_empty())
}

/// Ends all live sessions of an account but one, on devices and of apps; of devices only where their owner asks for it. Returns
/// how many.
pub async fn revoke_others(
    conn: &mut Conn,
    account_id: Uuid,
    kept: Option<Uuid>,
    because: Because,
    now: DateTime<Utc>,
) -> Result<usize, Problem> {
    let mut held = everywhere(account_id, now).order(sessions::id).select(sessions::id).into_boxed();
    if matches!(because, Because::Revoked) {
        held = held.filter(sessions::client_id.is_null());
    }
    let found: Vec<Uuid> = held.load(conn).await?;
    let ended: Vec<Uuid> = found.into_iter().filter(|id| Some(*id) != kept).collect();
    end(conn, &ended, because, now).await?;
    Ok(ended.len())
}

/// A session as its owner sees it.
#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub struct Session {
    pub id: Uuid,
    pub device_name: String,
    pub created_at: DateTime<Utc>,
    pub last_used_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// Live sessions, the newest first.
pub async fn list(
    conn: &mut Conn,
    account_id: Uuid,
    after: Option<(DateTime<Utc>, Uuid)>,
    most: i64,
    now: DateTime<Utc>,
) -> Result<Vec<Session>, Problem> {
    let (at, id) = after.unwrap_or((DateTime::<Utc>::MAX_UTC, Uuid::max()));
    let earlier = sessions::created_at.lt(at).or(sessions::created_at.eq(at).and(sessions::id.lt(id)));
    let mut query = live(account_id, now)
        .order((sessions::created_at.desc(), sessions::id.desc()))
        .limit(most)
        .select(Session::as_select())
        .into_boxed();
    if after.is_some() {
        query = query.filter(earlier);
    }
    Ok(query.load(conn).await?)
}
