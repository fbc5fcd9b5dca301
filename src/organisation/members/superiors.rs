//! Whose sign-in numbers are changed from above: those of role holders, so that no subordinate locks a superior out.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::access::{Permission, Role};
use crate::kernel::auth::Principal;
use crate::kernel::db::Conn;
use crate::kernel::problem::{Code, Problem};
use crate::kernel::schema::grants;
use crate::organisation::units;

/// Checks that the caller manages members above each unit on which this member holds a role, or will. The other officers of
/// a cell are changed by its secretary, and those of the unit at the top by another officer there.
///
/// # Errors
/// 403 otherwise.
pub async fn require_above(
    conn: &mut Conn,
    caller: &Principal,
    member_id: Uuid,
    today: NaiveDate,
) -> Result<(), Problem> {
    let held: Vec<(String, Option<Uuid>)> = grants::table
        .filter(grants::account_id.eq(member_id))
        .filter(grants::revoked_at.is_null())
        .filter(grants::role.ne(Role::Member.as_str()))
        .filter(grants::valid_to.is_null().or(grants::valid_to.gt(today)))
        .select((grants::role, grants::unit_id))
        .load(conn)
        .await?;
    for (role, unit) in held {
        let path = match unit {
            Some(unit) => units::path(conn, unit, today).await?,
            None => Vec::new(),
        };
        let role = Role::parse(&role);
        let beside = matches!(role, Some(Role::DeputySecretary | Role::CellCommitteeMember)) || path.len() == 1;
        let level = if beside { path.as_slice() } else { path.get(1..).unwrap_or_default() };
        if caller.account_id == member_id || !caller.may(level, Permission::ManageMembers) {
            return Err(Problem::with(
                Code::Forbidden,
                "Số dùng để đăng nhập của người giữ chức vụ do cấp trên của người đó thay đổi.",
                "The numbers with which a role holder signs in are changed from above.",
            ));
        }
    }
    Ok(())
}
