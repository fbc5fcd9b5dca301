//! Checks shared by officers' decisions: two persons, never on own points, and read access.

use chrono::NaiveDate;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::security::access::Permission;
use crate::kernel::security::auth::Principal;
use crate::organisation::units;

/// Requires that officers do not propose, decide or answer about their own points.
///
/// # Errors
/// 403 when the caller is the member.
pub fn require_other(member_id: Uuid, caller: Uuid) -> Result<(), Problem> {
    if member_id == caller {
        return Err(Problem::with(
            Code::OwnInterest,
            "Không ai đề nghị hoặc quyết định về điểm của chính mình.",
            "An officer cannot propose or decide about their own points.",
        ));
    }
    Ok(())
}

/// Requires one of the permissions on the unit with this path. A refusal is that of the first permission.
///
/// # Errors
/// 403 or 404 when they have none.
pub fn require_any(caller: &Principal, path: &[Uuid], any: &[Permission]) -> Result<(), Problem> {
    if any.iter().any(|permission| caller.may(path, *permission)) {
        return Ok(());
    }
    caller.require(path, any[0])
}

/// The same for a unit named in the query of a list.
///
/// # Errors
/// 404 when there was no such unit up to today, or the caller may not know that there is; 403 when they may not look.
pub async fn require_any_on(
    conn: &mut Conn,
    caller: &Principal,
    unit_id: Uuid,
    any: &[Permission],
    today: NaiveDate,
) -> Result<(), Problem> {
    let path = units::last_path(conn, unit_id, today).await?;
    require_any(caller, &path, any)
}
