//! Contests as authorised objects: members whom a round reaches know one, and officers of its unit.

use actix_web::HttpRequest;
use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::extract::{Authorize, path_id};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::security::access::Permission;
use crate::kernel::security::auth::{AccountKind, Principal};
use crate::organisation::units;

use super::store::{self, StoredContest};

/// Whether an officer sees the results of a unit's members one by one.
pub fn sees_members(caller: &Principal, path: &[Uuid]) -> bool {
    caller.may(path, Permission::ReadQuizResults) && caller.may(path, Permission::ListMembers)
}

/// A contest the caller may see.
pub struct VisibleContest {
    pub contest: StoredContest,
    /// Whether the caller manages it, and so sees rounds that are not published.
    pub manager: bool,
    /// Whether the caller sees all of its members by name.
    pub sees_members: bool,
}

impl Authorize for VisibleContest {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let contest = store::get(conn, path_id(req, "contest_id")?).await?;
            let path = units::last_path(conn, contest.unit_id, day_of(now)).await?;
            let manager = caller.may(&path, Permission::ManageQuizzes);
            let officer = manager || caller.may(&path, Permission::ReadQuizResults);
            let member = caller.kind == AccountKind::Member;
            if officer || (member && store::reaches(conn, contest.id, caller.account_id, &caller.home).await?) {
                return Ok(Self { contest, manager, sees_members: sees_members(caller, &path) });
            }
            Err(Problem::not_found())
        })
    }
}

/// A contest whose members the caller sees one by one: 403 for those who only know of it.
pub struct ContestForOfficers(pub StoredContest);

impl Authorize for ContestForOfficers {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let visible = VisibleContest::authorize(req, conn, caller, now).await?;
            if visible.sees_members { Ok(Self(visible.contest)) } else { Err(Problem::new(Code::Forbidden)) }
        })
    }
}
