//! A rule change: as officers write it, as it is stored, and as it is returned.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::schema::point_rule_changes;
use crate::kernel::http::problem::Problem;
use crate::points::engine::rules::Tier;

/// Whom a change is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleScope {
    /// The unit and everything below it: narrows or switches off.
    #[default]
    Unit,
    /// The whole system: a new version of the rule, by the unit at its top.
    System,
}

impl RuleScope {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::System => "system",
        }
    }
}

/// Whether a change is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleChangeState {
    /// Being written; changes nothing yet.
    Draft,
    /// In force from its first day on; never changed any more.
    Published,
}

impl RuleChangeState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
        }
    }
}

/// Points from a share of right answers on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleTier {
    /// Share of right answers in percent.
    #[schema(minimum = 0, maximum = 100, example = 80)]
    pub min_percent: i32,
    /// Points from it on.
    #[schema(minimum = 1, maximum = 10_000, example = 5)]
    pub points: i32,
}

impl From<Tier> for RuleTier {
    fn from(tier: Tier) -> Self {
        Self { min_percent: tier.min_percent, points: tier.points }
    }
}

/// A change of a rule to be drafted.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleChangeIn {
    /// For the unit and everything below it, which is the default, or for the whole system.
    #[serde(default)]
    #[schema(nullable = false, default = "unit", example = "unit")]
    pub scope: RuleScope,
    /// Code of the rule.
    #[schema(max_length = 60, pattern = "^[a-z_]+$", example = "quiz_passed")]
    pub rule: String,
    /// Whether the rule gives nothing in the unit; a rule of the whole system is ended instead.
    #[serde(default)]
    #[schema(nullable = false, default = false, example = false)]
    pub switched_off: bool,
    /// Points of one award. Of a unit: the most of what the rule gives; null leaves it as it is. Of the whole system:
    /// what the rule gives, with tiers the most; null keeps what it was.
    #[schema(minimum = 1, maximum = 10_000, example = 4)]
    pub points: Option<i32>,
    /// Points by share of right answers; of the whole system only, for rules that have tiers. Null keeps what they were.
    #[schema(min_items = 1, max_items = 10)]
    pub tiers: Option<Vec<RuleTier>>,
    /// Most points a day. Of a unit: null leaves it as it is. Of the whole system: null is no cap.
    #[schema(minimum = 1, maximum = 10_000, example = 4)]
    pub cap_day: Option<i32>,
    /// Most points a month; null as for the day.
    #[schema(minimum = 1, maximum = 10_000, example = 12)]
    pub cap_month: Option<i32>,
    /// The rule's title in Vietnamese; of the whole system only. Null keeps what it was.
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", example = "Đạt bài thi trắc nghiệm")]
    pub title_vi: Option<String>,
    /// The rule's title in English; of the whole system only. Null keeps what it was.
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", example = "Passed a quiz")]
    pub title_en: Option<String>,
    /// The first day it holds: tomorrow or later, so that nothing changes backwards or during a day.
    #[schema(example = "2027-01-01")]
    pub valid_from: NaiveDate,
    /// The first day it holds no more; null without an end.
    #[schema(example = "2027-07-01")]
    pub valid_to: Option<NaiveDate>,
}

/// The columns that officers write.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = point_rule_changes, treat_none_as_null = true)]
pub struct Values {
    scope: &'static str,
    rule_code: String,
    switched_off: bool,
    points: Option<i32>,
    tiers: Option<serde_json::Value>,
    cap_day: Option<i32>,
    cap_month: Option<i32>,
    title_vi: Option<String>,
    title_en: Option<String>,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
}

impl RuleChangeIn {
    /// Column values of the change.
    pub fn values(&self) -> Result<Values, Problem> {
        let title = |title: &Option<String>| title.as_deref().map(|title| title.trim().to_owned());
        Ok(Values {
            scope: self.scope.as_str(),
            rule_code: self.rule.clone(),
            switched_off: self.switched_off,
            points: self.points,
            tiers: self.tiers.as_ref().map(serde_json::to_value).transpose().map_err(Problem::internal)?,
            cap_day: self.cap_day,
            cap_month: self.cap_month,
            title_vi: title(&self.title_vi),
            title_en: title(&self.title_en),
            valid_from: self.valid_from,
            valid_to: self.valid_to,
        })
    }
}

/// A change as it stands in the database.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = point_rule_changes)]
pub struct ChangeRow {
    pub id: Uuid,
    pub unit_id: Uuid,
    scope: String,
    pub rule_code: String,
    switched_off: bool,
    points: Option<i32>,
    tiers: Option<serde_json::Value>,
    cap_day: Option<i32>,
    cap_month: Option<i32>,
    title_vi: Option<String>,
    title_en: Option<String>,
    pub valid_from: NaiveDate,
    pub valid_to: Option<NaiveDate>,
    pub state: String,
    version: i32,
    pub rule_version: Option<i32>,
    created_at: DateTime<Utc>,
    published_at: Option<DateTime<Utc>>,
}

impl ChangeRow {
    /// The change as officers wrote it.
    pub fn content(&self) -> RuleChangeIn {
        RuleChangeIn {
            scope: if self.scope == RuleScope::System.as_str() { RuleScope::System } else { RuleScope::Unit },
            rule: self.rule_code.clone(),
            switched_off: self.switched_off,
            points: self.points,
            tiers: self.tiers.clone().and_then(|tiers| serde_json::from_value(tiers).ok()),
            cap_day: self.cap_day,
            cap_month: self.cap_month,
            title_vi: self.title_vi.clone(),
            title_en: self.title_en.clone(),
            valid_from: self.valid_from,
            valid_to: self.valid_to,
        }
    }
}

/// A change of a rule, by a unit.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleChange {
    /// Identifier.
    pub id: Uuid,
    /// The unit whose officers write it.
    pub unit_id: Uuid,
    /// Its name.
    #[schema(max_length = 200, example = "Đảng bộ phường Bình Minh")]
    pub unit_name: String,
    /// Whom it is for.
    pub scope: RuleScope,
    /// Code of the rule.
    #[schema(max_length = 60, pattern = "^[a-z_]+$", example = "quiz_passed")]
    pub rule: String,
    /// Whether the rule gives nothing in the unit.
    pub switched_off: bool,
    /// Points of one award; null leaves them as they are.
    #[schema(minimum = 1, maximum = 10_000, example = 4)]
    pub points: Option<i32>,
    /// Points by share of right answers; null leaves them as they are.
    #[schema(max_items = 10)]
    pub tiers: Option<Vec<RuleTier>>,
    /// Most points a day.
    #[schema(minimum = 1, maximum = 10_000, example = 4)]
    pub cap_day: Option<i32>,
    /// Most points a month.
    #[schema(minimum = 1, maximum = 10_000, example = 12)]
    pub cap_month: Option<i32>,
    /// The rule's title in Vietnamese; null keeps what it was.
    #[schema(max_length = 200, example = "Đạt bài thi trắc nghiệm")]
    pub title_vi: Option<String>,
    /// The rule's title in English; null keeps what it was.
    #[schema(max_length = 200, example = "Passed a quiz")]
    pub title_en: Option<String>,
    /// The first day it holds.
    pub valid_from: NaiveDate,
    /// The first day it holds no more; the same as the first when it was ended before it began; null without an end.
    pub valid_to: Option<NaiveDate>,
    /// Draft or published.
    #[schema(value_type = RuleChangeState)]
    pub state: String,
    /// Counts the changes of the draft.
    #[schema(minimum = 1, maximum = 1_000_000, example = 1)]
    pub version: i32,
    /// The version of the rule that it made; null for drafts and for limits of units.
    #[schema(minimum = 1, maximum = 100_000, example = 2)]
    pub rule_version: Option<i32>,
    /// When it was drafted.
    pub created_at: DateTime<Utc>,
    /// When it was published; null for a draft.
    pub published_at: Option<DateTime<Utc>>,
}

impl From<(ChangeRow, String)> for RuleChange {
    fn from((row, unit_name): (ChangeRow, String)) -> Self {
        let content = row.content();
        Self {
            id: row.id,
            unit_id: row.unit_id,
            unit_name,
            scope: content.scope,
            rule: content.rule,
            switched_off: content.switched_off,
            points: content.points,
            tiers: content.tiers,
            cap_day: content.cap_day,
            cap_month: content.cap_month,
            title_vi: content.title_vi,
            title_en: content.title_en,
            valid_from: content.valid_from,
            valid_to: content.valid_to,
            state: row.state,
            version: row.version,
            rule_version: row.rule_version,
            created_at: row.created_at,
            published_at: row.published_at,
        }
    }
}
