//! Who a token speaks for: the session must live, the account be enabled; grants are read at each request.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Date, Int4, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use futures_util::future::LocalBoxFuture;
use uuid::Uuid;

use crate::kernel::access::{Grant, Role};
use crate::kernel::auth::{AccountKind, Authenticator, Claims, Principal};
use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::problem::{Code, Problem};
use crate::kernel::statement::Prepared;

/// Looks the caller up in PostgreSQL.
pub struct Authentication;

#[derive(QueryableByName)]
struct Caller {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Bool)]
    alive: bool,
    /// `role:unit`, the unit empty for the whole system.
    #[diesel(sql_type = Array<Text>)]
    grants: Vec<String>,
    #[diesel(sql_type = Array<SqlUuid>)]
    home: Vec<Uuid>,
}

const CALLER: &str = "
    SELECT a.kind,
        s.revoked_at IS NULL AND s.expires_at > $3 AND a.disabled_at IS NULL AS alive,
        ARRAY(SELECT g.role || ':' || coalesce(g.unit_id::text, '') FROM grants g
            WHERE g.account_id = a.id AND g.revoked_at IS NULL
              AND g.valid_from <= $4 AND (g.valid_to IS NULL OR g.valid_to > $4)) AS grants,
        ARRAY(SELECT t.ancestor_id FROM memberships m
            JOIN unit_tree t ON t.descendant_id = m.unit_id AND t.valid_from <= $4 AND (t.valid_to IS NULL OR t.valid_to > $4)
            WHERE m.member_id = a.id AND m.valid_from <= $4 AND (m.valid_to IS NULL OR m.valid_to > $4)
            ORDER BY t.depth) AS home
    FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1 AND a.id = $2";

#[derive(QueryableByName)]
struct Alive {
    #[diesel(sql_type = Int4)]
    place: i32,
    #[diesel(sql_type = Text)]
    kind: String,
}

fn kind(name: &str) -> AccountKind {
    if name == "member" { AccountKind::Member } else { AccountKind::Administrator }
}

const ALIVE: &str =
    "SELECT k.place, a.kind FROM unnest($1::int4[], $2::uuid[], $3::uuid[]) AS k (place, session_id, account_id)
    JOIN sessions s ON s.id = k.session_id AND s.account_id = k.account_id
    JOIN accounts a ON a.id = k.account_id
    WHERE s.revoked_at IS NULL AND s.expires_at > $4 AND a.disabled_at IS NULL";

impl Authenticator for Authentication {
    fn load<'a>(
        &'a self,
        conn: &'a mut Conn,
        claims: &'a Claims,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Principal, Problem>> {
        Box::pin(async move {
            let query = diesel::sql_query(CALLER)
                .bind::<SqlUuid, _>(claims.sid)
                .bind::<SqlUuid, _>(claims.sub)
                .bind::<Timestamptz, _>(now)
                .bind::<Date, _>(day_of(now));
            let caller = Prepared(query)
                .get_result::<Caller>(conn)
                .await
                .optional()?
                .filter(|caller| caller.alive)
                .ok_or_else(|| Problem::new(Code::Unauthenticated))?;
            Ok(Principal {
                account_id: claims.sub,
                session_id: claims.sid,
                kind: kind(&caller.kind),
                grants: caller.grants.iter().filter_map(|grant| parse(grant)).collect(),
                home: caller.home,
            })
        })
    }

    fn alive<'a>(
        &'a self,
        mut conn: &'a Conn,
        claims: &'a [&'a Claims],
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Vec<Option<AccountKind>>, Problem>> {
        Box::pin(async move {
            let query = diesel::sql_query(ALIVE)
                .bind::<Array<Int4>, _>((0..).take(claims.len()).collect::<Vec<i32>>())
                .bind::<Array<SqlUuid>, _>(claims.iter().map(|claims| claims.sid).collect::<Vec<_>>())
                .bind::<Array<SqlUuid>, _>(claims.iter().map(|claims| claims.sub).collect::<Vec<_>>())
                .bind::<Timestamptz, _>(now);
            let rows: Vec<Alive> = Prepared(query).load(&mut conn).await?;
            let mut alive = vec![None; claims.len()];
            for row in rows {
                alive[usize::try_from(row.place).unwrap_or_default()] = Some(kind(&row.kind));
            }
            Ok(alive)
        })
    }
}

/// A role the program does not know grants nothing.
fn parse(grant: &str) -> Option<Grant> {
    let (role, unit) = grant.split_once(':')?;
    let role = Role::parse(role)?;
    let unit_id = if unit.is_empty() { None } else { Some(unit.parse().ok()?) };
    Some(Grant { role, unit_id })
}
