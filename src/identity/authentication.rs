//! Authenticates callers: the session must be live and the account enabled.
//!
//! Results are cached until a change concerns them.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, Date, Int4, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use futures_util::future::LocalBoxFuture;
use uuid::Uuid;

use crate::kernel::batching::cache_invalidation::{self, CacheEpoch, EpochCache};
use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::statement::Prepared;
use crate::kernel::http::problem::Problem;
use crate::kernel::security::access::{Grant, Role};
use crate::kernel::security::auth::{AccountKind, Authenticator, Claims, Principal};

/// Maximum number of cached sessions, about 100 bytes each.
const MOST_SESSIONS: usize = 200_000;
/// Maximum number of cached callers with their grants, about 400 bytes each.
const MOST_CALLERS: usize = 200_000;

/// Looks the caller up in PostgreSQL.
pub struct Authentication {
    sessions: EpochCache<Uuid, SessionRow>,
    /// Keyed by session and day, since grants and memberships begin and end with days.
    callers: EpochCache<(Uuid, NaiveDate), Arc<(SessionRow, Principal)>>,
}

impl Default for Authentication {
    fn default() -> Self {
        Self { sessions: EpochCache::new(MOST_SESSIONS), callers: EpochCache::new(MOST_CALLERS) }
    }
}

/// A session that was not revoked, and whose account was enabled, when it was read.
#[derive(Clone, Copy)]
struct SessionRow {
    account_id: Uuid,
    kind: AccountKind,
    client_id: Option<Uuid>,
    expires_at: DateTime<Utc>,
}

impl SessionRow {
    fn is_of(&self, claims: &Claims, now: DateTime<Utc>) -> bool {
        self.account_id == claims.sub && self.client_id == claims.client_id && self.expires_at > now
    }
}

/// What a cached session depends on: itself, its account, and the app that holds it.
fn subjects(claims: &Claims) -> [Uuid; 3] {
    [claims.sid, claims.sub, claims.client_id.unwrap_or(claims.sub)]
}

#[derive(QueryableByName)]
struct Caller {
    #[diesel(sql_type = Int4)]
    place: i32,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Timestamptz)]
    expires_at: DateTime<Utc>,
    /// `role:unit`, the unit empty for the whole system.
    #[diesel(sql_type = Array<Text>)]
    grants: Vec<String>,
    #[diesel(sql_type = Array<SqlUuid>)]
    home: Vec<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    client_id: Option<Uuid>,
    /// The unit of an app that acts for no person.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    client_unit: Option<Uuid>,
}

impl Caller {
    fn grants(&self) -> Vec<Grant> {
        let of_app = self.client_unit.map(|unit| Grant { role: Role::Application, unit_id: Some(unit) });
        self.grants.iter().filter_map(|grant| parse(grant)).chain(of_app).collect()
    }
}

/// The number of rows is hidden from PostgreSQL: it would plan this anew whenever there are fewer than it expects.
const CALLERS: &str = "
    SELECT k.place, a.kind, s.expires_at,
        ARRAY(SELECT g.role || ':' || coalesce(g.unit_id::text, '') FROM grants g
            WHERE g.account_id = a.id AND g.revoked_at IS NULL
              AND g.valid_from <= $5 AND (g.valid_to IS NULL OR g.valid_to > $5)) AS grants,
        ARRAY(SELECT t.ancestor_id FROM memberships m
            JOIN unit_tree t ON t.descendant_id = m.unit_id AND t.valid_from <= $5 AND (t.valid_to IS NULL OR t.valid_to > $5)
            WHERE m.member_id = a.id AND m.valid_from <= $5 AND (m.valid_to IS NULL OR m.valid_to > $5)
            ORDER BY t.depth) AS home,
        s.client_id, CASE WHEN a.kind = 'client' THEN (SELECT c.unit_id FROM oauth_clients c WHERE c.id = a.id) END AS client_unit
    FROM unnest((SELECT $1::int4[]), (SELECT $2::uuid[]), (SELECT $3::uuid[])) AS k (place, session_id, account_id)
    JOIN sessions s ON s.id = k.session_id AND s.account_id = k.account_id
    JOIN accounts a ON a.id = k.account_id
    LEFT JOIN accounts c ON c.id = s.client_id
    WHERE s.revoked_at IS NULL AND s.expires_at > $4 AND a.disabled_at IS NULL AND c.disabled_at IS NULL";

#[derive(QueryableByName)]
struct Alive {
    #[diesel(sql_type = Int4)]
    place: i32,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Timestamptz)]
    expires_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    client_id: Option<Uuid>,
}

const ALIVE: &str =
    "SELECT k.place, a.kind, s.expires_at, s.client_id FROM unnest($1::int4[], $2::uuid[], $3::uuid[]) AS k (place, session_id, account_id)
    JOIN sessions s ON s.id = k.session_id AND s.account_id = k.account_id
    JOIN accounts a ON a.id = k.account_id
    LEFT JOIN accounts c ON c.id = s.client_id
    WHERE s.revoked_at IS NULL AND s.expires_at > $4 AND a.disabled_at IS NULL AND c.disabled_at IS NULL";

/// Binds the sessions at the given places: each one's index among them, the session, the account, and the time.
macro_rules! of_sessions {
    ($text:ident, $places:ident, $claims:ident, $now:ident) => {
        diesel::sql_query($text)
            .bind::<Array<Int4>, _>((0..).take($places.len()).collect::<Vec<i32>>())
            .bind::<Array<SqlUuid>, _>($places.iter().map(|place| $claims[*place].sid).collect::<Vec<_>>())
            .bind::<Array<SqlUuid>, _>($places.iter().map(|place| $claims[*place].sub).collect::<Vec<_>>())
            .bind::<Timestamptz, _>($now)
    };
}

impl Authenticator for Authentication {
    fn load<'a>(
        &'a self,
        mut conn: &'a Conn,
        sight: CacheEpoch<'a>,
        claims: &'a [&'a Claims],
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Vec<Option<Principal>>, Problem>> {
        Box::pin(async move {
            let today = day_of(now);
            let known = |claims: &&Claims| {
                let [session, account, client] = subjects(claims);
                let subjects = [session, account, client, cache_invalidation::UNITS];
                let known = self.callers.get(sight, &(claims.sid, today), &subjects)?;
                known.0.is_of(claims, now).then(|| known.1.clone())
            };
            let mut callers: Vec<Option<Principal>> = claims.iter().map(known).collect();
            let unknown: Vec<usize> = (0..claims.len()).filter(|place| callers[*place].is_none()).collect();
            if unknown.is_empty() {
                return Ok(callers);
            }
            let query = of_sessions!(CALLERS, unknown, claims, now).bind::<Date, _>(today);
            let rows: Vec<Caller> = Prepared(query).load(&mut conn).await?;
            for row in rows {
                let Some((place, kind)) = one_of(&unknown, row.place).zip(AccountKind::parse(&row.kind)) else {
                    continue;
                };
                let (claims, client_id, expires_at) = (claims[place], row.client_id, row.expires_at);
                let session = SessionRow { account_id: claims.sub, kind, client_id, expires_at };
                if !session.is_of(claims, now) {
                    continue;
                }
                let principal = Principal {
                    account_id: claims.sub,
                    session_id: claims.sid,
                    kind,
                    grants: row.grants(),
                    home: row.home,
                    client_id,
                };
                // A member without a cell may get one without a change being recorded.
                if kind != AccountKind::Member || !principal.home.is_empty() {
                    self.callers.insert(sight, (claims.sid, today), Arc::new((session, principal.clone())));
                }
                callers[place] = Some(principal);
            }
            Ok(callers)
        })
    }

    fn alive<'a>(
        &'a self,
        conn: &'a Conn,
        sight: CacheEpoch<'a>,
        claims: &'a [&'a Claims],
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Vec<Option<AccountKind>>, Problem>> {
        Box::pin(async move {
            let known = |claims: &&Claims| {
                let session = self.sessions.get(sight, &claims.sid, &subjects(claims))?;
                session.is_of(claims, now).then_some(session.kind)
            };
            let mut alive: Vec<Option<AccountKind>> = claims.iter().map(known).collect();
            let unknown: Vec<usize> = (0..claims.len()).filter(|place| alive[*place].is_none()).collect();
            for (place, session) in read(conn, &unknown, claims, now).await? {
                alive[place] = Some(session.kind);
                self.sessions.insert(sight, claims[place].sid, session);
            }
            Ok(alive)
        })
    }
}

/// Reads the sessions at the given places.
async fn read(
    mut conn: &Conn,
    places: &[usize],
    claims: &[&Claims],
    now: DateTime<Utc>,
) -> Result<Vec<(usize, SessionRow)>, Problem> {
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Alive> = Prepared(of_sessions!(ALIVE, places, claims, now)).load(&mut conn).await?;
    let session = |row: Alive| {
        let place = one_of(places, row.place)?;
        let (account_id, kind) = (claims[place].sub, AccountKind::parse(&row.kind)?);
        let session = SessionRow { account_id, kind, client_id: row.client_id, expires_at: row.expires_at };
        session.is_of(claims[place], now).then_some((place, session))
    };
    Ok(rows.into_iter().filter_map(session).collect())
}

/// The place of a row, which holds the index of its place among those requested.
fn one_of(places: &[usize], named: i32) -> Option<usize> {
    usize::try_from(named).ok().and_then(|named| places.get(named)).copied()
}

/// A role the program does not know grants nothing.
fn parse(grant: &str) -> Option<Grant> {
    let (role, unit) = grant.split_once(':')?;
    let role = Role::parse(role)?;
    let unit_id = if unit.is_empty() { None } else { Some(unit.parse().ok()?) };
    Some(Grant { role, unit_id })
}
