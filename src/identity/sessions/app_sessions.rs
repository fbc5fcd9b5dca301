//! Sessions of apps: what a person allowed an app, or what an approved app is on its own.

use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::{accounts, sessions};
use crate::kernel::http::problem::Problem;
use crate::kernel::ids::new_id;
use crate::kernel::security::audit;
use crate::kernel::security::scopes::AppScopes;

use super::device_sessions::{self, Because, end, lock_account};

/// Maximum number of live sessions of one app for one account: each device on which the app runs has one.
const MOST_LIVE: i64 = 10;

/// What an app may do, and for which account; for its own when it acts for no person.
pub struct AppOpening<'a> {
    pub account_id: Uuid,
    pub client_id: Uuid,
    pub name: &'a str,
    pub scopes: AppScopes,
    pub request_id: &'a str,
    /// How long it lives when it is not refreshed.
    pub lifetime: Duration,
}

/// A live session of an app.
#[derive(Debug, Clone)]
pub struct AppSession {
    pub id: Uuid,
    pub account_id: Uuid,
    pub scopes: AppScopes,
    pub expires_at: DateTime<Utc>,
    pub generation: i32,
}

#[diesel::dsl::auto_type(no_type_alias)]
fn held(client_id: Uuid, now: DateTime<Utc>) -> _ {
    sessions::table
        .filter(sessions::client_id.eq(client_id))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(now))
}

/// Opens a session; the oldest one of the app for this account ends when there are too many.
pub async fn open(conn: &mut Conn, opening: &AppOpening<'_>, now: DateTime<Utc>) -> Result<Uuid, Problem> {
    lock_account(conn, opening.account_id).await?;
    let surplus: Vec<Uuid> = held(opening.client_id, now)
        .filter(sessions::account_id.eq(opening.account_id))
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
            sessions::device_name.eq(opening.name),
            sessions::created_at.eq(now),
            sessions::last_used_at.eq(now),
            sessions::expires_at.eq(now + opening.lifetime),
            sessions::generation.eq(0),
            sessions::rotated_at.eq(now),
            sessions::client_id.eq(opening.client_id),
            sessions::scopes.eq(opening.scopes.names()),
        ))
        .execute(conn)
        .await?;
    let alone = opening.account_id == opening.client_id;
    let event = audit::AuditEvent {
        actor_id: Some(opening.client_id),
        client_id: Some(opening.client_id),
        action: "app.session_opened",
        object_kind: "session",
        object_id: session_id,
        unit_id: None,
        member_id: (!alone).then_some(opening.account_id),
        request_id: Some(opening.request_id),
        details: json!({"scope": opening.scopes}),
    };
    audit::record(conn, event, now).await?;
    Ok(session_id)
}

/// The session of an app that acts for no person: one that lives as long as its youngest token.
pub async fn open_alone(conn: &mut Conn, opening: &AppOpening<'_>, now: DateTime<Utc>) -> Result<Uuid, Problem> {
    lock_account(conn, opening.account_id).await?;
    let found: Option<Uuid> = held(opening.client_id, now)
        .filter(sessions::account_id.eq(opening.account_id))
        .select(sessions::id)
        .first(conn)
        .await
        .optional()?;
    let Some(session_id) = found else { return open(conn, opening, now).await };
    diesel::update(sessions::table.find(session_id))
        .set(sessions::expires_at.eq(now + opening.lifetime))
        .execute(conn)
        .await?;
    Ok(session_id)
}

/// Advances the generation of an app's refresh token. Returns none when the session is over or another app's. A token that was
/// used before ends the session, and the caller must commit that.
pub async fn refresh(
    conn: &mut Conn,
    token: (Uuid, i32),
    client_id: Uuid,
    days: u32,
    now: DateTime<Utc>,
) -> Result<Option<AppSession>, Problem> {
    match device_sessions::refresh(conn, token, Some(client_id), days, now).await? {
        Some(_) => find(conn, token.0, client_id, now).await,
        None => Ok(None),
    }
}

/// A live session of an app, of an account that can be used.
pub async fn find(
    conn: &mut Conn,
    session_id: Uuid,
    client_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<AppSession>, Problem> {
    type Row = (Uuid, Option<Vec<String>>, DateTime<Utc>, i32);
    let usable = accounts::table.filter(accounts::disabled_at.is_null()).select(accounts::id);
    let found: Option<Row> = held(client_id, now)
        .filter(sessions::id.eq(session_id))
        .filter(sessions::account_id.eq_any(usable))
        .select((sessions::account_id, sessions::scopes, sessions::expires_at, sessions::generation))
        .first(conn)
        .await
        .optional()?;
    Ok(found.map(|(account_id, scopes, expires_at, generation)| AppSession {
        id: session_id,
        account_id,
        scopes: AppScopes::of_names(&scopes.unwrap_or_default()),
        expires_at,
        generation,
    }))
}

/// Ends one session of an app. Returns whose it was; none when it was over already.
pub async fn end_one(
    conn: &mut Conn,
    session_id: Uuid,
    client_id: Uuid,
    because: Because,
    now: DateTime<Utc>,
) -> Result<Option<Uuid>, Problem> {
    let found = held(client_id, now).filter(sessions::id.eq(session_id)).select(sessions::account_id);
    let account: Option<Uuid> = found.first(conn).await.optional()?;
    if account.is_some() {
        end(conn, &[session_id], because, now).await?;
    }
    Ok(account)
}

/// Ends the sessions of an app, for one account or for all. Returns how many.
pub async fn end_all(
    conn: &mut Conn,
    client_id: Uuid,
    account_id: Option<Uuid>,
    because: Because,
    now: DateTime<Utc>,
) -> Result<usize, Problem> {
    let mut query = held(client_id, now).order(sessions::id).select(sessions::id).into_boxed();
    if let Some(account_id) = account_id {
        query = query.filter(sessions::account_id.eq(account_id));
    }
    let found: Vec<Uuid> = query.load(conn).await?;
    end(conn, &found, because, now).await?;
    Ok(found.len())
}
