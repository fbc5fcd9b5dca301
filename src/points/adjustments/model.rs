//! What an adjustment is and what it writes to the ledger: pure rules.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::points::model::EntryKind;

/// Most points one adjustment gives or takes: more than can be earned in a month.
pub const MOST_POINTS: i32 = 100;

/// Rule code of entries of adjustments.
pub const MANUAL_ADJUSTMENT: &str = "manual_adjustment";
/// Rule code of entries of reversals.
pub const REVERSAL: &str = "reversal";

/// Requested correction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointChange {
    /// Points given to or taken from a month.
    Adjust { period: Period, points: i32 },
    /// An entry taken back whole.
    Reverse { entry_id: Uuid },
}

/// Where a proposal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdjustmentState {
    /// Waits for a second officer.
    Proposed,
    /// Written to the ledger.
    Approved,
    /// A second officer has refused it.
    Refused,
    /// The proposer has taken it back.
    Withdrawn,
    /// Nobody decided in time.
    Expired,
}

impl AdjustmentState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }
}

/// State of a member's month before an adjustment.
#[derive(Debug, Clone, Copy)]
pub struct MonthNow {
    pub points: i32,
    pub closed: bool,
}

/// The cell and the day of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdjustmentUnit {
    pub unit_id: Uuid,
    pub day: NaiveDate,
}

/// A row for the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    pub kind: EntryKind,
    pub rule_code: &'static str,
    pub object_kind: &'static str,
    pub object_id: String,
    pub points: i32,
    pub place: AdjustmentUnit,
    pub reverses: Option<Uuid>,
    pub late: bool,
}

/// What an approval writes; none when the month would fall below zero. A reversal names the entry as its object, so that the
/// ledger itself refuses a second one.
pub fn posting(
    adjustment_id: Uuid,
    points: i32,
    reverses: Option<Uuid>,
    place: AdjustmentUnit,
    month: MonthNow,
) -> Option<Posting> {
    if month.points.checked_add(points)? < 0 {
        return None;
    }
    let (kind, rule_code, object_kind, object) = match reverses {
        Some(entry) => (EntryKind::Reversal, REVERSAL, "entry", entry),
        None => (EntryKind::Adjustment, MANUAL_ADJUSTMENT, "adjustment", adjustment_id),
    };
    let object_id = object.to_string();
    Some(Posting { kind, rule_code, object_kind, object_id, points, place, reverses, late: month.closed })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place() -> AdjustmentUnit {
        AdjustmentUnit { unit_id: Uuid::from_u128(1), day: "2026-11-30".parse().unwrap() }
    }

    proptest! {
        #[test]
        fn no_order_of_corrections_takes_a_month_below_zero(
            start in 0..200_i32,
            changes in proptest::collection::vec((-MOST_POINTS..=MOST_POINTS, any::<bool>(), any::<bool>()), 0..40),
        ) {
            let mut points = start;
            for (number, (change, reversal, closed)) in changes.into_iter().enumerate() {
                let reverses = reversal.then(|| Uuid::from_u128(number as u128));
                let month = MonthNow { points, closed };
                match posting(Uuid::from_u128(9), change, reverses, place(), month) {
                    Some(posting) => {
                        points += posting.points;
                        prop_assert_eq!(posting.points, change);
                        prop_assert_eq!(posting.late, closed);
                        prop_assert_eq!(posting.kind == EntryKind::Reversal, posting.reverses.is_some());
                    }
                    None => prop_assert!(points + change < 0),
                }
                prop_assert!(points >= 0);
            }
        }
    }

    #[test]
    fn two_reversals_of_an_entry_have_the_same_object() {
        let entry = Uuid::from_u128(7);
        let month = MonthNow { points: 16, closed: false };
        let of = |id| posting(Uuid::from_u128(id), -8, Some(entry), place(), month).unwrap();
        assert_eq!((of(1).rule_code, of(1).object_id.clone()), (of(2).rule_code, of(2).object_id));
        let by_hand = |id| posting(Uuid::from_u128(id), 3, None, place(), month).unwrap().object_id;
        assert_ne!(by_hand(1), by_hand(2));
    }
}
