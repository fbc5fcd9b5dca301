//! What a quiz must meet before it can be written or published: pure rules.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::http::problem::{Code, Fault, Problem, text};

/// Questions that a quiz must ask to pay.
pub const LEAST_TO_PAY: i64 = 5;
/// Questions that a quiz may ask.
pub const MOST_QUESTIONS: i64 = 200;

/// When right answers are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = QuizReveal)]
pub enum Reveal {
    /// When the window has ended.
    #[default]
    AfterWindow,
    /// When the attempt is submitted; for practice alone.
    AtOnce,
}

impl Reveal {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AfterWindow => "after_window",
            Self::AtOnce => "at_once",
        }
    }
}

/// Questions to be drawn from a bank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuizDraw {
    /// The bank.
    pub bank_id: Uuid,
    /// How many of its questions are asked.
    #[schema(minimum = 1, maximum = 200, example = 5)]
    pub count: i64,
    /// Only questions on this topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 200, nullable = false, example = "Điều lệ Đảng")]
    pub topic: Option<String>,
    /// Only questions of this difficulty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 5, nullable = false, example = 2)]
    pub difficulty: Option<i16>,
}

/// Where a quiz takes its questions from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Draws(Vec<QuizDraw>),
    /// These questions, all of them.
    List(Vec<Uuid>),
}

impl Source {
    /// How many questions an attempt asks.
    pub fn count(&self) -> i64 {
        match self {
            Self::Draws(draws) => draws.iter().map(|draw| draw.count).sum(),
            Self::List(questions) => i64::try_from(questions.len()).unwrap_or(i64::MAX),
        }
    }
}

/// For whom a quiz is: a unit with everything below it, or, for practice, a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuizTarget {
    /// The unit that owns the quiz, or one below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub unit_id: Option<Uuid>,
    /// A member of the unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub member_id: Option<Uuid>,
}

/// What the rules judge.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    pub source: &'a Source,
    pub minutes: i64,
    pub practice: bool,
    pub reveal: Reveal,
    pub opens_at: DateTime<Utc>,
    pub closes_at: DateTime<Utc>,
    pub targets: &'a [QuizTarget],
}

impl Plan<'_> {
    /// All rules that the plan breaks, at once.
    ///
    /// # Errors
    /// 422 with each fault at its field.
    pub fn check(&self) -> Result<(), Problem> {
        let mut faults = Vec::new();
        let mut fault = |pointer: &str, code, vi: &'static str, en: &'static str| {
            faults.push(Fault { pointer: pointer.to_owned(), code, detail: text(vi, en) });
        };
        if self.closes_at < self.opens_at + TimeDelta::minutes(self.minutes) {
            let vi = "Thời gian mở phải dài ít nhất bằng số phút làm bài.";
            fault("/closes_at", "window_too_short", vi, "The window must be at least as long as the minutes.");
        }
        let count = self.source.count();
        if !self.practice && count < LEAST_TO_PAY {
            let vi = "Bài thi được tính điểm phải có ít nhất 5 câu hỏi.";
            fault("/draws", "too_few_questions", vi, "A quiz that pays asks at least five questions.");
        }
        if !(1..=MOST_QUESTIONS).contains(&count) {
            let vi = "Bài thi có từ 1 đến 200 câu hỏi.";
            fault("/draws", "question_count", vi, "A quiz asks 1 to 200 questions.");
        }
        if !self.practice && self.reveal == Reveal::AtOnce {
            let vi = "Chỉ bài luyện tập mới hiện đáp án ngay.";
            fault("/reveal", "reveal_too_early", vi, "Only practice shows right answers at once.");
        }
        for (index, target) in self.targets.iter().enumerate() {
            let pointer = format!("/targets/{index}");
            if target.unit_id.is_some() == target.member_id.is_some() {
                fault(&pointer, "target", "Hãy ghi unit_id hoặc member_id.", "Name either unit_id or member_id.");
            } else if target.member_id.is_some() && !self.practice {
                let vi = "Bài thi được tính điểm chỉ giao cho tổ chức, không giao cho từng người.";
                fault(&pointer, "members_not_paid", vi, "A quiz that pays goes to units, never to named members.");
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(Problem::faults(Code::RuleNotMet, faults)) }
    }
}

/// Where a quiz stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuizState {
    /// Not published; seen by officers alone.
    Draft,
    /// Published; its window has not begun.
    Scheduled,
    /// Its window has begun and not ended.
    Open,
    /// Its window has ended.
    Closed,
}

impl QuizState {
    pub fn of(published: bool, opens_at: DateTime<Utc>, closes_at: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        match published {
            false => Self::Draft,
            true if now < opens_at => Self::Scheduled,
            true if now < closes_at => Self::Open,
            true => Self::Closed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(plan: &Plan<'_>) -> Vec<&'static str> {
        plan.check().err().map(|problem| problem.faults.iter().map(|fault| fault.code).collect()).unwrap_or_default()
    }

    #[test]
    fn what_pays_goes_to_units_and_asks_five_questions() {
        let opens_at: DateTime<Utc> = "2026-11-27T00:00:00Z".parse().unwrap();
        let member = QuizTarget { unit_id: None, member_id: Some(Uuid::from_u128(1)) };
        let source = Source::List((0..4).map(Uuid::from_u128).collect());
        let paying = Plan {
            source: &source,
            minutes: 30,
            practice: false,
            reveal: Reveal::AtOnce,
            opens_at,
            closes_at: opens_at + TimeDelta::minutes(29),
            targets: &[member],
        };
        let practice = Plan { practice: true, closes_at: opens_at + TimeDelta::minutes(30), ..paying.clone() };

        assert_eq!(codes(&paying), ["window_too_short", "too_few_questions", "reveal_too_early", "members_not_paid"]);
        assert_eq!(codes(&practice), Vec::<&str>::new());
    }
}
