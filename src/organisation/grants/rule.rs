//! Who may give and revoke which role where.

use uuid::Uuid;

use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::security::access::{Permission, Role};
use crate::kernel::security::auth::Principal;

/// Whether the caller may give or revoke roles on the unit with this path (itself first): they manage grants on a unit
/// **strictly above** it, or are a system administrator. So no officer can appoint an equal, or reach further by
/// granting.
pub fn may_grant(caller: &Principal, path: &[Uuid]) -> bool {
    let administrator = caller.grants.iter().any(|grant| grant.role == Role::SystemAdministrator);
    let above = path.get(1..).unwrap_or_default();
    administrator || (!above.is_empty() && caller.may(above, Permission::ManageGrants))
}

/// Refuses a caller who may not give or revoke roles on the unit.
///
/// # Errors
/// 404 when the caller may not know the unit, else 403.
pub fn require(caller: &Principal, path: &[Uuid]) -> Result<(), Problem> {
    caller.require(path, Permission::ManageGrants)?;
    if may_grant(caller, path) {
        return Ok(());
    }
    Err(Problem::with(
        Code::Forbidden,
        "Chỉ cấp trên của tổ chức này được giao hoặc thu hồi vai trò.",
        "Only a superior unit can give or revoke roles here.",
    ))
}

/// Whether a role belongs on a cell; none when it cannot be granted through the API at all.
pub fn on_cell(role: Role) -> Option<bool> {
    match role {
        Role::CellSecretary | Role::DeputySecretary | Role::CellCommitteeMember | Role::MinuteTaker => Some(true),
        Role::CommitteeOfficer | Role::PropagandaOfficer | Role::OrganisationOfficer | Role::Inspector => Some(false),
        Role::Member | Role::SystemAdministrator | Role::Application => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::security::access::Grant;
    use crate::kernel::security::auth::AccountKind;

    const WARD: Uuid = Uuid::from_u128(1);
    const CELL: Uuid = Uuid::from_u128(2);

    fn holding(role: Role, unit_id: Option<Uuid>) -> Principal {
        Principal {
            account_id: Uuid::from_u128(9),
            session_id: Uuid::from_u128(9),
            kind: AccountKind::Member,
            grants: vec![Grant { role, unit_id }],
            home: Vec::new(),
            client_id: None,
        }
    }

    #[test]
    fn roles_are_given_from_above_only() {
        let officer = holding(Role::OrganisationOfficer, Some(WARD));
        assert!(may_grant(&officer, &[CELL, WARD]));
        assert!(!may_grant(&officer, &[WARD]));
        assert!(!may_grant(&officer, &[]));
        let secretary = holding(Role::CellSecretary, Some(CELL));
        assert!(!may_grant(&secretary, &[CELL, WARD]));
        assert!(!may_grant(&holding(Role::Inspector, Some(WARD)), &[CELL, WARD]));
        let administrator = holding(Role::SystemAdministrator, None);
        assert!(may_grant(&administrator, &[WARD]));
    }
}
