//! Types of the points engine and its pure rules: no clock, no database.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::Period;

/// Something a member did that rules may reward.
#[derive(Debug, Clone, Default)]
pub struct Deed {
    /// What happened, for example `document.read`; rules listen to it.
    pub event: &'static str,
    /// What kind of thing it was done with: `document`, `day`, `meeting`, `opinion`.
    pub object_kind: &'static str,
    /// Which one; a rule rewards each object once.
    pub object_id: String,
    /// The officer who vouches for it; none when the server itself observed it.
    pub attested_by: Option<Uuid>,
    /// Share of right answers in percent, for rules with tiers.
    pub percent: Option<i32>,
    /// Points given before for the same thing, under another object: only what is more is given.
    pub already: i32,
    /// The day it counts for, when that is not the day of acceptance; for what officers attest.
    pub on: Option<NaiveDate>,
}

/// Where a member stands in a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The threshold is reached.
    Met,
    /// Not reached, but what is still attainable suffices.
    OnTrack,
    /// What is still attainable does not suffice.
    AtRisk,
    /// The month has ended without reaching it.
    Below,
    /// Exempt members are in no denominator.
    Exempt,
    /// Excused for the month, in no denominator.
    Excused,
}

/// Origin of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A rule gave points.
    Award,
    /// Officers gave or took points.
    Adjustment,
    /// Officers took an entry back.
    Reversal,
}

impl EntryKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Award => "award",
            Self::Adjustment => "adjustment",
            Self::Reversal => "reversal",
        }
    }
}

/// What an entry is about; a rule rewards each object once.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ObjectRef {
    /// Its kind: `document`, `day`, `meeting`, `opinion`; of what officers corrected `entry` (a reversal) and `adjustment`.
    #[schema(max_length = 40, pattern = "^[a-z_]+$", example = "document")]
    pub kind: String,
    /// Of a `document`, the `entry` taken back and the `adjustment` approved, its id; of a `day` the day; of a regular
    /// `meeting` its month, `2026-11`, whatever the cell; of a thematic `meeting` its day, whatever the cell (entries made before
    /// 27 November 2026 say its cell too, as in `019aa1b2-3c4d-7e5f-8a6b-7c8d9e0f1a2b:2026-11-20`); of an `opinion` its cell,
    /// its day and a short name of its subject.
    #[schema(max_length = 100, example = "2026-11-20")]
    pub id: String,
}

/// A row of the ledger.
///
/// The stored receipt of a document completed before a field was added lacks that field.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Entry {
    /// Identifier.
    pub id: Uuid,
    /// Code of the rule.
    #[schema(max_length = 60, pattern = "^[a-z_]+$", example = "document_read")]
    pub rule: String,
    /// Version of the rule at that time.
    #[schema(minimum = 1, maximum = 100_000, example = 1)]
    pub rule_version: i32,
    /// Points, negative for a reversal.
    #[schema(minimum = -10_000, maximum = 10_000, example = 3)]
    pub points: i32,
    /// The month it counts for.
    pub period: Period,
    /// The day it counts for.
    #[schema(required = false)]
    pub day: NaiveDate,
    /// The member's cell on that day.
    #[schema(required = false)]
    pub unit_id: Uuid,
    /// When the server accepted the deed.
    pub occurred_at: DateTime<Utc>,
    /// The object of the deed; for a reversal, the entry that it takes back.
    pub object: ObjectRef,
    /// The officer who vouches for it: who recorded the attestation, who approved the adjustment. Null when the server
    /// itself, or the member, vouches for it.
    pub attested_by: Option<Uuid>,
    /// `award`, or what officers corrected: `adjustment`, `reversal`.
    #[schema(value_type = EntryKind, required = false)]
    pub kind: String,
    /// Whether it came after its month was closed: a late correction.
    #[schema(required = false)]
    pub late: bool,
    /// The entry that a reversal takes back.
    pub reverses: Option<Uuid>,
    /// The reversal by which it was taken back.
    pub reversed_by: Option<Uuid>,
    /// The approved adjustment, also for a reversal; null for an award.
    pub decision_id: Option<Uuid>,
    /// Why officers corrected it.
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

/// Why a rule gave nothing.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Refusal {
    /// Code of the rule.
    #[schema(max_length = 60, pattern = "^[a-z_]+$", example = "document_read")]
    pub rule: String,
    /// `already_credited`, `day_cap`, `month_cap`, `self_service_day_cap`, `not_for_this_member`, `switched_off`,
    /// `too_few_points`; of attestations also `not_in_cell`.
    #[schema(max_length = 60, pattern = "^[a-z_]+$", example = "day_cap")]
    pub reason: String,
    /// The reason in Vietnamese.
    #[schema(max_length = 300, example = "Đã đạt tối đa 6 điểm/ngày cho quy tắc này.")]
    pub detail: String,
    /// The same in English: a stored receipt cannot follow the reader's language.
    #[schema(max_length = 300, example = "The rule's 6 points a day are reached.")]
    pub detail_en: String,
}

/// A month in short.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MonthBrief {
    /// The month.
    pub period: Period,
    /// Points so far.
    #[schema(minimum = -10_000, maximum = 10_000, example = 27)]
    pub points: i32,
    /// Points to reach.
    #[schema(minimum = 0, maximum = 10_000, example = 30)]
    pub threshold: i32,
    /// Where the member stands.
    pub status: Status,
}

/// Outcome of a deed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Award {
    /// Sum of the entries.
    #[schema(minimum = 0, maximum = 10_000, example = 3)]
    pub points_awarded: i32,
    /// What was written to the ledger.
    #[schema(max_items = 20)]
    pub entries: Vec<Entry>,
    /// Which rules gave nothing, and why.
    #[schema(max_items = 20)]
    pub refusals: Vec<Refusal>,
    /// The member's month after the deed.
    pub month: MonthBrief,
}
