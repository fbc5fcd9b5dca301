//! Types of reorganisations.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What a reorganisation does with the units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderKind {
    /// Units end; their members and the units below them go to another unit.
    Merge,
    /// Some members, or some of the units below, leave a unit for a new one.
    Split,
    /// Units come under another parent.
    Move,
}

impl OrderKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Split => "split",
            Self::Move => "move",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Merge, Self::Split, Self::Move].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// The unit that a merger or a split makes.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MadeUnitIn {
    /// Its name.
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", example = "Chi bộ Tổ dân phố số 5 và 6")]
    pub name: String,
    /// Code of 14 digits in groups, unique.
    #[schema(max_length = 18, pattern = "^[0-9]{2}([.][0-9]{3}){4}$")]
    pub code: Option<String>,
}

/// A merger, a split or a move.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReorganisationIn {
    /// What is done.
    #[schema(example = "move")]
    pub kind: OrderKind,
    /// The first day on which it holds: today, which is the default, or a later day. Days before keep what they had.
    pub effective_on: Option<NaiveDate>,
    /// `merge`: the units that end, all of one kind. `split`: the one unit that is split. `move`: the units that move.
    #[schema(min_items = 1, max_items = 50, example = json!(["0192f0c1-0000-7000-8000-000000000001"]))]
    pub unit_ids: Vec<Uuid>,
    /// `merge`: the unit they are merged into, of the same kind; or else `new_unit`.
    pub into_unit_id: Option<Uuid>,
    /// `merge`, `split`: the unit to be made.
    pub new_unit: Option<MadeUnitIn>,
    /// `move`: the new parent. `merge`, `split`: the parent of the new unit; by default that of the units.
    pub parent_id: Option<Uuid>,
    /// `split` of a cell: the members who go to the new one.
    #[schema(max_items = 2000)]
    pub member_ids: Option<Vec<Uuid>>,
    /// `split` of a committee: the units directly below it that go to the new one.
    #[schema(max_items = 1000)]
    pub child_unit_ids: Option<Vec<Uuid>>,
    /// `merge` into a new unit: the one of the units whose roles go on in the new one. All others end.
    pub keep_roles_of: Option<Uuid>,
    /// The decision it is based on.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S", example = "Quyết định số 12-QĐ/ĐU")]
    pub reason: String,
}

/// Members of a unit and everything below it on the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberCounts {
    /// All of them.
    #[schema(minimum = 0, maximum = 10_000_000, example = 135)]
    pub members: i64,
    /// Official members.
    #[schema(minimum = 0, maximum = 10_000_000, example = 134)]
    pub official: i64,
    /// Exempt members.
    #[schema(minimum = 0, maximum = 10_000_000, example = 54)]
    pub exempt: i64,
    /// Members excused in the month.
    #[schema(minimum = 0, maximum = 10_000_000, example = 2)]
    pub excused: i64,
    /// The denominator of rates: members who are neither exempt nor excused.
    #[schema(minimum = 0, maximum = 10_000_000, example = 79)]
    pub counted: i64,
}

/// A unit on the day without the reorganisation, and with it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UnitEffect {
    /// The unit; that of a preview's new unit is not kept.
    pub unit_id: Uuid,
    /// Its name.
    #[schema(max_length = 200, example = "Chi bộ Tổ dân phố số 5")]
    pub name: String,
    /// Without it; null for a unit that is only made.
    pub before: Option<MemberCounts>,
    /// With it; null for a unit that ends.
    pub after: Option<MemberCounts>,
}

/// A warning to consider before it is carried out.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ReorganisationWarning {
    /// `few_official_members`, `without_secretary`.
    #[schema(max_length = 60, pattern = "^[a-z_]+$", example = "few_official_members")]
    pub code: String,
    /// The unit it is about.
    pub unit_id: Uuid,
    /// What it means, in Vietnamese.
    #[schema(max_length = 300, example = "Chi bộ còn dưới 3 đảng viên chính thức.")]
    pub detail: String,
    /// The same in English.
    #[schema(max_length = 300, example = "The cell is left with fewer than 3 official members.")]
    pub detail_en: String,
}

/// The effect of a reorganisation.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ReorganisationEffect {
    /// Members who move to another cell.
    #[schema(minimum = 0, maximum = 10_000_000, example = 38)]
    pub members_moved: i64,
    /// Roles that end.
    #[schema(minimum = 0, maximum = 100_000, example = 3)]
    pub roles_ended: i64,
    /// Roles that go on in the new unit.
    #[schema(minimum = 0, maximum = 100_000, example = 3)]
    pub roles_kept: i64,
    /// Open transfers that become pointless and are withdrawn.
    #[schema(minimum = 0, maximum = 100_000, example = 1)]
    pub transfers_withdrawn: i64,
    /// Open transfers that lead to or from the other unit from now on.
    #[schema(minimum = 0, maximum = 100_000, example = 1)]
    pub transfers_redirected: i64,
    /// The units concerned, with their counts before and after.
    #[schema(max_items = 300)]
    pub units: Vec<UnitEffect>,
    /// Warnings to consider.
    #[schema(max_items = 300)]
    pub warnings: Vec<ReorganisationWarning>,
}

/// A role that ends.
#[derive(Debug, Clone, Serialize, ToSchema, diesel::QueryableByName)]
pub struct EndingRole {
    /// Who holds it.
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    pub account_id: Uuid,
    /// The holder's name.
    #[diesel(sql_type = diesel::sql_types::Text)]
    #[schema(max_length = 200, example = "Nguyễn Văn An")]
    pub name: String,
    /// The role.
    #[diesel(sql_type = diesel::sql_types::Text)]
    #[schema(max_length = 40, pattern = "^[a-z_]+$", example = "cell_secretary")]
    pub role: String,
    /// The unit it is held on.
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    pub unit_id: Uuid,
}

/// What a reorganisation would do.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReorganisationPreview {
    /// The day from which it would hold.
    pub effective_on: NaiveDate,
    /// What it would do if that day were today.
    pub effect: ReorganisationEffect,
    /// Who would lose which role; at most 500.
    #[schema(max_items = 500)]
    pub ending_roles: Vec<EndingRole>,
}

/// A reorganisation that was ordered.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Reorganisation {
    /// Identifier.
    pub id: Uuid,
    /// What is done.
    pub kind: OrderKind,
    /// `planned`, then `applied`, `cancelled` or `failed`.
    #[schema(max_length = 20, pattern = "^[a-z]+$", example = "applied")]
    pub state: String,
    /// The first day on which it holds.
    pub effective_on: NaiveDate,
    /// The day from which it really holds; later when the system was down that day; null while it has not been done.
    pub applied_on: Option<NaiveDate>,
    /// The units it is about, the new one left out.
    #[schema(max_items = 60)]
    pub unit_ids: Vec<Uuid>,
    /// The unit that was made, if one was.
    pub new_unit_id: Option<Uuid>,
    /// The decision it is based on.
    #[schema(max_length = 500, example = "Quyết định số 12-QĐ/ĐU")]
    pub reason: String,
    /// When it was ordered.
    pub ordered_at: DateTime<Utc>,
    /// What it did; null while it has not been done.
    pub effect: Option<ReorganisationEffect>,
    /// Why it could not be done on the day; null otherwise.
    #[schema(max_length = 500)]
    pub failure: Option<String>,
}
