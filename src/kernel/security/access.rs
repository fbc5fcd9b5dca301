//! Who may do what: roles, permissions and grants as pure types; deny by default.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A role held on a unit for a term; it reaches the unit and everything below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Member,
    CellSecretary,
    DeputySecretary,
    CellCommitteeMember,
    MinuteTaker,
    CommitteeOfficer,
    PropagandaOfficer,
    OrganisationOfficer,
    Inspector,
    SystemAdministrator,
    /// What an approved application is on its unit when it acts for no person. It is never given, and no person has it.
    #[serde(skip)]
    Application,
}

/// A permission as a type, so that a handler's signature says what it needs.
pub trait Needs: 'static {
    const PERMISSION: Permission;
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// What an operation needs on a unit.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Permission { $($(#[$doc])* $name),* }

        /// One type per permission.
        pub mod needs {
            use super::{Needs, Permission};
            $(
                $(#[$doc])*
                pub struct $name;
                impl Needs for $name {
                    const PERMISSION: Permission = Permission::$name;
                }
            )*
        }
    };
}

permissions! {
    /// Know the unit, its place and its name.
    ReadUnit,
    /// Make, rename and place units.
    ManageUnits,
    /// See the list of members, without personal numbers.
    ListMembers,
    /// See a member's profile with personal numbers.
    ReadMember,
    /// Admit and correct members, bring in rosters, record exemptions.
    ManageMembers,
    /// Propose and decide transfers.
    TransferMembers,
    /// Give and revoke roles.
    ManageGrants,
    /// Issue activation slips.
    IssueSlips,
    /// See the threshold board and its summary.
    ReadBoard,
    /// Confirm, as a second officer, exemptions and excuses that another has proposed.
    DecideExemptions,
    /// Set thresholds and the like.
    ManageParameters,
    /// Take the board out as a file.
    ExportBoard,
    /// Write, publish and recall documents.
    PublishDocuments,
    /// Add an earlier date and a cover note, for the unit's own members, to documents that reach the unit.
    AnnotateDocuments,
    /// See who has opened and read a document.
    ReadReadership,
    /// Keep question banks with their keys; write and publish quizzes.
    ManageQuizzes,
    /// See who has taken a quiz and with what result.
    ReadQuizResults,
    /// Read the audit log.
    ReadAudit,
    /// Register apps of third parties, see them, replace their secrets, stop them.
    ManageApps,
    /// Approve apps that others have registered.
    ApproveApps,
    /// Close a month of the unit.
    CloseMonth,
    /// Reopen a closed month of a unit below.
    ReopenMonth,
    /// Record who attended, contributed or was helped to study.
    RecordAttestations,
    /// Confirm, as a second officer, what another has recorded.
    ConfirmAttestations,
    /// See a member's entries in the ledger.
    ReadEntries,
    /// Propose an adjustment or a reversal of points.
    ProposeAdjustments,
    /// Approve or refuse, as a second officer, what another has proposed; answer appeals.
    DecideAdjustments,
    /// Draft and publish rules of points, narrow or switch off those of superiors.
    ManageRules,
    /// See the cases opened on the unit.
    ReadCases,
    /// Decide cases.
    DecideCases,
    /// Remind members privately.
    SendReminders,
    /// See deliveries of events that failed, and have them tried again.
    ManageDeliveries,
    /// Have events of the unit sent to another system.
    ManageWebhooks,
}

use Permission as P;
use Role as R;

const SECRETARY: &[Permission] = &[
    P::ReadUnit,
    P::ManageApps,
    P::DecideExemptions,
    P::ListMembers,
    P::ReadMember,
    P::ManageMembers,
    P::TransferMembers,
    P::IssueSlips,
    P::ReadBoard,
    P::ExportBoard,
    P::AnnotateDocuments,
    P::ReadReadership,
    P::CloseMonth,
    P::RecordAttestations,
    P::ConfirmAttestations,
    P::ReadEntries,
    P::ProposeAdjustments,
    P::DecideAdjustments,
    P::SendReminders,
    P::ReadQuizResults,
];

const CELL_COMMITTEE_MEMBER: &[Permission] =
    &[P::ReadUnit, P::ListMembers, P::ReadBoard, P::ReadReadership, P::RecordAttestations, P::ConfirmAttestations];

const MINUTE_TAKER: &[Permission] = &[P::ReadUnit, P::ListMembers, P::RecordAttestations];

const COMMITTEE_OFFICER: &[Permission] = &[
    P::ReadUnit,
    P::ManageApps,
    P::DecideExemptions,
    P::ListMembers,
    P::ReadMember,
    P::ManageUnits,
    P::TransferMembers,
    P::ManageGrants,
    P::IssueSlips,
    P::ReadBoard,
    P::ManageParameters,
    P::ExportBoard,
    P::ReadReadership,
    P::ReopenMonth,
    P::ConfirmAttestations,
    P::ReadEntries,
    P::ProposeAdjustments,
    P::DecideAdjustments,
    P::ManageRules,
    P::ReadQuizResults,
    P::ManageWebhooks,
];

const PROPAGANDA_OFFICER: &[Permission] = &[
    P::ReadUnit,
    P::PublishDocuments,
    P::AnnotateDocuments,
    P::ReadReadership,
    P::ManageQuizzes,
    P::ReadQuizResults,
    P::ManageWebhooks,
];

const ORGANISATION_OFFICER: &[Permission] = &[
    P::ReadUnit,
    P::ManageApps,
    P::DecideExemptions,
    P::ListMembers,
    P::ReadMember,
    P::ManageMembers,
    P::ManageUnits,
    P::TransferMembers,
    P::ManageGrants,
    P::IssueSlips,
];

const INSPECTOR: &[Permission] = &[
    P::ReadUnit,
    P::ListMembers,
    P::ReadMember,
    P::ReadBoard,
    P::ExportBoard,
    P::ReadReadership,
    P::ReadAudit,
    P::ReadEntries,
    P::ReadCases,
    P::DecideCases,
    P::ReadQuizResults,
];

/// Runs the system; sees no points and no readings of people.
const SYSTEM_ADMINISTRATOR: &[Permission] = &[
    P::ReadUnit,
    P::ManageApps,
    P::ApproveApps,
    P::ManageUnits,
    P::ListMembers,
    P::ManageMembers,
    P::DecideExemptions,
    P::ManageGrants,
    P::IssueSlips,
    P::ReadAudit,
    P::ManageDeliveries,
    P::ManageWebhooks,
];

/// An application without a person reads figures, never rows of people.
const APPLICATION: &[Permission] = &[P::ReadUnit, P::ReadBoard, P::ManageWebhooks];

/// Permissions of a second officer, or to hand such permissions out.
const DECIDING: &[Permission] = &[
    P::ConfirmAttestations,
    P::DecideExemptions,
    P::DecideAdjustments,
    P::DecideCases,
    P::IssueSlips,
    P::ManageGrants,
    P::ManageMembers,
    P::ManageParameters,
];

impl Role {
    /// The roles that people hold.
    pub const ALL: &'static [Role] = &[
        R::Member,
        R::CellSecretary,
        R::DeputySecretary,
        R::CellCommitteeMember,
        R::MinuteTaker,
        R::CommitteeOfficer,
        R::PropagandaOfficer,
        R::OrganisationOfficer,
        R::Inspector,
        R::SystemAdministrator,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            R::Member => "member",
            R::CellSecretary => "cell_secretary",
            R::DeputySecretary => "deputy_secretary",
            R::CellCommitteeMember => "cell_committee_member",
            R::MinuteTaker => "minute_taker",
            R::CommitteeOfficer => "committee_officer",
            R::PropagandaOfficer => "propaganda_officer",
            R::OrganisationOfficer => "organisation_officer",
            R::Inspector => "inspector",
            R::SystemAdministrator => "system_administrator",
            R::Application => "application",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_str() == name)
    }

    /// Whether the role decides on what others proposed; giving such a role takes two officers.
    pub fn decides(self) -> bool {
        self.permissions().iter().any(|permission| DECIDING.contains(permission))
    }

    /// What the role allows on its unit and below.
    pub fn permissions(self) -> &'static [Permission] {
        match self {
            R::Member => &[],
            R::CellSecretary | R::DeputySecretary => SECRETARY,
            R::CellCommitteeMember => CELL_COMMITTEE_MEMBER,
            R::MinuteTaker => MINUTE_TAKER,
            R::CommitteeOfficer => COMMITTEE_OFFICER,
            R::PropagandaOfficer => PROPAGANDA_OFFICER,
            R::OrganisationOfficer => ORGANISATION_OFFICER,
            R::Inspector => INSPECTOR,
            R::SystemAdministrator => SYSTEM_ADMINISTRATOR,
            R::Application => APPLICATION,
        }
    }
}

/// A role in force: given on a unit, or on everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    pub role: Role,
    pub unit_id: Option<Uuid>,
}

/// The outcome of a permission check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessDecision {
    Allowed,
    /// The caller may know the object but may not do this: 403.
    Forbidden,
    /// The caller may not know that the object exists: 404.
    Hidden,
}

/// Checks a permission on a unit. `path` is the unit with all its ancestors, `home` the caller's own cell with all of
/// its.
pub fn decide(grants: &[Grant], home: &[Uuid], path: &[Uuid], permission: Permission) -> AccessDecision {
    let reaching = |grant: &&Grant| grant.unit_id.is_none_or(|unit| path.contains(&unit));
    if grants.iter().filter(reaching).any(|grant| grant.role.permissions().contains(&permission)) {
        return AccessDecision::Allowed;
    }
    let knows = path.first().is_some_and(|unit| home.contains(unit)) || grants.iter().any(|grant| reaching(&grant));
    match (knows, permission) {
        (true, Permission::ReadUnit) => AccessDecision::Allowed,
        (true, _) => AccessDecision::Forbidden,
        (false, _) => AccessDecision::Hidden,
    }
}

/// A term: from a day to the day before `valid_to`, or without end.
pub fn in_force(valid_from: NaiveDate, valid_to: Option<NaiveDate>, day: NaiveDate) -> bool {
    valid_from <= day && valid_to.is_none_or(|to| day < to)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROVINCE: Uuid = Uuid::from_u128(1);
    const WARD: Uuid = Uuid::from_u128(2);
    const CELL: Uuid = Uuid::from_u128(3);
    const SIBLING: Uuid = Uuid::from_u128(4);

    fn on(role: Role, unit: Uuid) -> Vec<Grant> {
        vec![Grant { role, unit_id: Some(unit) }]
    }

    #[test]
    fn a_grant_reaches_down_never_up_nor_aside() {
        let (cell, ward, sibling) = ([CELL, WARD, PROVINCE], [WARD, PROVINCE], [SIBLING, WARD, PROVINCE]);
        let secretary = on(Role::CellSecretary, CELL);
        assert_eq!(decide(&secretary, &cell, &cell, P::ReadBoard), AccessDecision::Allowed);
        assert_eq!(decide(&secretary, &cell, &sibling, P::ReadBoard), AccessDecision::Hidden);
        assert_eq!(decide(&secretary, &cell, &ward, P::ReadBoard), AccessDecision::Forbidden);
        let officer = on(Role::CommitteeOfficer, WARD);
        assert_eq!(decide(&officer, &[], &sibling, P::ReadBoard), AccessDecision::Allowed);
        assert_eq!(decide(&officer, &[], &[PROVINCE], P::ReadBoard), AccessDecision::Hidden);
    }

    #[test]
    fn a_member_knows_the_way_up_and_may_do_nothing_there() {
        let home = [CELL, WARD, PROVINCE];
        assert_eq!(decide(&[], &home, &home, P::ReadUnit), AccessDecision::Allowed);
        assert_eq!(decide(&[], &home, &home, P::ReadBoard), AccessDecision::Forbidden);
        assert_eq!(decide(&[], &home, &[SIBLING, WARD, PROVINCE], P::ReadUnit), AccessDecision::Hidden);
    }

    #[test]
    fn those_who_only_record_or_publish_decide_nothing() {
        let others: Vec<Role> = Role::ALL.iter().copied().filter(|role| !role.decides()).collect();
        assert_eq!(others, [R::Member, R::MinuteTaker, R::PropagandaOfficer]);
    }

    #[test]
    fn names_of_roles_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(*role));
        }
        assert_eq!(Role::parse("chairman"), None);
    }
}
