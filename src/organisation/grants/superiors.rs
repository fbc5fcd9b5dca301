//! Protection of those who hold roles: a subordinate neither locks them out nor changes what they sign in with.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::grants;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::security::access::{Permission, Role};
use crate::kernel::security::auth::Principal;
use crate::organisation::units;

/// Where the caller needs the permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rank {
    /// Above each unit on which the account holds a role; on the unit itself is enough for deputies, committee members, minute-takers of a
    /// cell, and units at the top.
    Beside,
    /// Above each of them.
    Above,
}

/// Refuses callers who do not reach the roles of an account.
///
/// # Errors
/// 403 when the account holds a role on a unit that the caller does not stand on or above, as `rank` says.
pub async fn require_rank(
    conn: &mut Conn,
    caller: &Principal,
    account_id: Uuid,
    (permission, rank): (Permission, Rank),
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let today = day_of(now);
    for (role, unit) in roles_held(conn, account_id, today).await? {
        let path = match unit {
            Some(unit) => units::last_path(conn, unit, today).await?,
            None => Vec::new(),
        };
        let subordinate =
            matches!(Role::parse(&role), Some(Role::DeputySecretary | Role::CellCommitteeMember | Role::MinuteTaker));
        let beside = rank == Rank::Beside && (subordinate || path.len() == 1);
        let needed = if beside { &path } else { path.get(1..).unwrap_or_default() };
        if !caller.may(needed, permission) {
            return Err(Problem::with(
                Code::Forbidden,
                "Đảng viên này giữ chức vụ; việc này do cấp trên làm.",
                "This person holds a role: an officer of a unit above does this.",
            ));
        }
    }
    Ok(())
}

async fn roles_held(
    conn: &mut Conn,
    account_id: Uuid,
    today: NaiveDate,
) -> Result<Vec<(String, Option<Uuid>)>, Problem> {
    Ok(grants::table
        .filter(grants::account_id.eq(account_id))
        .filter(grants::revoked_at.is_null())
        .filter(grants::role.ne(Role::Member.as_str()))
        .filter(grants::valid_to.is_null().or(grants::valid_to.gt(today)))
        .select((grants::role, grants::unit_id))
        .load(conn)
        .await?)
}

/// Ends all roles of an account at once.
pub async fn revoke_all(conn: &mut Conn, account_id: Uuid, by: Uuid, now: DateTime<Utc>) -> Result<usize, Problem> {
    let open = grants::table
        .filter(grants::account_id.eq(account_id))
        .filter(grants::revoked_at.is_null())
        .filter(grants::valid_to.is_null().or(grants::valid_to.gt(day_of(now))));
    Ok(diesel::update(open).set((grants::revoked_at.eq(now), grants::revoked_by.eq(by))).execute(conn).await?)
}
