//! Saving answers: one by one or as a list, in any order, until the attempt ends.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Code, Fault, Problem, text};

use super::model::DrawnQuestion;
use super::store::{self, AttemptRow};

/// How long the network may take after the deadline, seconds.
pub const GRACE_SECONDS: i64 = 15;

/// An answer to one question.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttemptAnswer {
    /// The question, by its id in this attempt.
    pub question_id: Uuid,
    /// The options ticked, by their ids in this attempt; empty for none.
    #[schema(max_items = 10)]
    pub option_ids: Vec<Uuid>,
    /// Counts the client's changes of this answer: a lower one never replaces a higher one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, nullable = false, example = 1)]
    pub seq: Option<i64>,
}

/// Whether nothing can be saved any more.
pub fn is_over(attempt: &AttemptRow, now: DateTime<Utc>) -> bool {
    now > attempt.expires_at + TimeDelta::seconds(GRACE_SECONDS)
}

/// Saves answers, all of them or none; `listed` says whether the body is a list of them.
///
/// # Errors
/// 409 when the attempt has ended, 422 for what it does not ask or offer.
pub async fn save(
    conn: &mut Conn,
    attempt_id: Uuid,
    (answers, listed): (&[AttemptAnswer], bool),
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let attempt = store::hold(conn, attempt_id).await?;
    if attempt.submitted_at.is_some() || is_over(&attempt, now) {
        return Err(Problem::new(Code::AttemptOver));
    }
    let questions = attempt.questions()?;
    // Only what is answered: an attempt asks up to 200 questions, and most answers come one by one.
    let answered = questions.iter().filter(|question| answers.iter().any(|answer| answer.question_id == question.id));
    let asked = store::asked(conn, &answered.cloned().collect::<Vec<_>>()).await?;
    let mut faults = Vec::new();
    let mut seen = HashSet::new();
    for (index, answer) in answers.iter().enumerate() {
        let question = questions.iter().find(|question| question.id == answer.question_id);
        let single = question.and_then(|question| asked.get(&(question.question_id, question.version)));
        let single = single.is_some_and(|asked| asked.kind != "multiple_choice");
        if let Some((field, vi, en)) = wrong(answer, question, single, seen.insert(answer.question_id)) {
            let pointer = if listed { format!("/answers/{index}/{field}") } else { format!("/{field}") };
            faults.push(Fault { pointer, code: "not_in_this_attempt", detail: text(vi, en) });
        }
    }
    if !faults.is_empty() {
        return Err(Problem::faults(Code::RuleNotMet, faults));
    }
    let answers = serde_json::to_value(answers).map_err(Problem::internal)?;
    store::save(conn, attempt_id, &answers, now).await
}

/// The field at fault, and why.
fn wrong(
    answer: &AttemptAnswer,
    question: Option<&DrawnQuestion>,
    single: bool,
    first: bool,
) -> Option<(&'static str, &'static str, &'static str)> {
    let Some(question) = question else {
        return Some(("question_id", "Lần làm này không có câu hỏi đó.", "The attempt does not ask this question."));
    };
    if !first {
        return Some(("question_id", "Câu hỏi được trả lời hai lần.", "The question is answered twice."));
    }
    let offered = |id: &Uuid| question.options.iter().any(|option| option.id == *id);
    if !answer.option_ids.iter().all(offered) {
        return Some(("option_ids", "Câu hỏi không có phương án đó.", "The question does not offer this option."));
    }
    let distinct: HashSet<&Uuid> = answer.option_ids.iter().collect();
    if distinct.len() != answer.option_ids.len() || (single && distinct.len() > 1) {
        return Some(("option_ids", "Câu này chỉ chọn một phương án.", "The question takes one option."));
    }
    None
}
