//! Saving answers: one by one or as a list, in any order, until the attempt ends.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::batching::command::{BatchCommand, LiveCommand};
use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Code, Fault, Problem, text};

use super::frozen::{self, AnswerableQuestion, HeldAttempt};
use super::store;

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

/// Whether nothing can be saved any more in an attempt with this deadline.
pub fn is_over(expires_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now > expires_at + TimeDelta::seconds(GRACE_SECONDS)
}

/// Answers to be saved, all of them or none.
pub struct AnswersToSave {
    pub attempt_id: Uuid,
    pub answers: Vec<AttemptAnswer>,
    /// Whether the body is a list of them.
    pub listed: bool,
}

/// Saves the answers of many attempts in one transaction.
pub struct AnswerSaver;

impl BatchCommand for AnswerSaver {
    type Input = AnswersToSave;
    type Output = ();

    fn subject(input: &AnswersToSave) -> Uuid {
        input.attempt_id
    }

    async fn carry_out(
        conn: &mut Conn,
        asked: &[LiveCommand<'_, AnswersToSave>],
    ) -> Result<Vec<Result<(), Problem>>, Problem> {
        let ids = asked.iter().map(|one| one.input.attempt_id).collect();
        let held = frozen::hold(conn, ids).await?;
        let outcomes: Vec<Result<(), Problem>> = asked.iter().map(|one| check(one, &held)).collect();
        let fit = asked.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok());
        let rows =
            fit.flat_map(|(one, _)| one.input.answers.iter().map(|answer| (one.input.attempt_id, answer, one.now)));
        let rows: Vec<store::AnswerToSave<'_>> = rows.collect();
        if !rows.is_empty() {
            store::save(conn, rows).await?;
        }
        Ok(outcomes)
    }
}

/// Refuses answers to an attempt that is another's or has ended (404, 409), and what it does not ask or offer (422).
fn check(one: &LiveCommand<'_, AnswersToSave>, held: &HashMap<Uuid, HeldAttempt>) -> Result<(), Problem> {
    let attempt = held.get(&one.input.attempt_id).filter(|attempt| attempt.member_id == one.account_id);
    let attempt = attempt.ok_or_else(Problem::not_found)?;
    if attempt.submitted || is_over(attempt.expires_at, one.now) {
        return Err(Problem::new(Code::AttemptOver));
    }
    let mut faults = Vec::new();
    let mut seen = HashSet::new();
    for (index, answer) in one.input.answers.iter().enumerate() {
        let question = attempt.questions.iter().find(|question| question.id == answer.question_id);
        if let Some((field, vi, en)) = wrong(answer, question, seen.insert(answer.question_id)) {
            let pointer = if one.input.listed { format!("/answers/{index}/{field}") } else { format!("/{field}") };
            faults.push(Fault { pointer, code: "not_in_this_attempt", detail: text(vi, en) });
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Problem::faults(Code::RuleNotMet, faults)) }
}

/// The field at fault, and why.
fn wrong(
    answer: &AttemptAnswer,
    question: Option<&AnswerableQuestion>,
    first: bool,
) -> Option<(&'static str, &'static str, &'static str)> {
    let Some(question) = question else {
        return Some(("question_id", "Lần làm này không có câu hỏi đó.", "The attempt does not ask this question."));
    };
    if !first {
        return Some(("question_id", "Câu hỏi được trả lời hai lần.", "The question is answered twice."));
    }
    let offered = |id: &Uuid| question.options.contains(id);
    if !answer.option_ids.iter().all(offered) {
        return Some(("option_ids", "Câu hỏi không có phương án đó.", "The question does not offer this option."));
    }
    let distinct: HashSet<&Uuid> = answer.option_ids.iter().collect();
    if distinct.len() != answer.option_ids.len() || (question.single && distinct.len() > 1) {
        return Some(("option_ids", "Câu này chỉ chọn một phương án.", "The question takes one option."));
    }
    None
}
