//! Grading an attempt: as a whole, once, in the same transaction as its points.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;
use crate::kernel::outbox;
use crate::organisation::cell_of;
use crate::points;
use crate::quizzes::contests::scores;
use crate::quizzes::voids::store as voids;

use super::frozen;
use super::model::{is_right, percent};
use super::output::AttemptReceipt;
use super::store::{self, AttemptRow, Grade};
use super::subject::AttemptSubject;

/// Grades an attempt with what was saved. One that is graded already keeps its receipt. Whatever the hour at which the
/// server comes to it, an attempt counts at its deadline at the latest.
pub async fn grade(conn: &mut Conn, attempt_id: Uuid, now: DateTime<Utc>) -> Result<Value, Problem> {
    let seen = store::get(conn, attempt_id).await?;
    let at = now.min(seen.expires_at);
    // The month comes before anything else of the member.
    points::lock_month(conn, seen.member_id, at).await?;
    let attempt = store::lock(conn, attempt_id).await?;
    if let Some(receipt) = attempt.receipt {
        return Ok(receipt);
    }
    let subject = AttemptSubject::of(conn, &attempt).await?;
    let Mark { score, max_score, percent, passed } = marked(conn, &attempt, &subject).await?;
    let practice = subject.is_practice(conn, attempt.member_id, &attempt.questions()?).await?;
    let (credited, award) = subject.award(conn, &attempt, (passed && !practice, percent), at).await?;
    let grade = Grade {
        at,
        expired: now > attempt.expires_at,
        practice,
        credited,
        unit_id: cell_of(conn, attempt.member_id, day_of(at)).await?,
        score,
        percent,
        passed,
        seconds: match subject.quiz().filter(|_| attempt.assisted) {
            // How long it took on paper is not known.
            Some(quiz) => quiz.minutes * 60,
            None => i32::try_from((at - attempt.started_at).num_seconds().max(0)).unwrap_or(i32::MAX),
        },
        points: award.as_ref().map_or(0, |award| award.points_awarded),
        voids: subject.quiz().map_or(0, |quiz| quiz.voids),
    };
    let receipt = AttemptReceipt::new(&attempt, &grade, max_score, award);
    let receipt = serde_json::to_value(receipt).map_err(Problem::internal)?;
    store::finish(conn, attempt_id, &grade, &receipt).await?;
    if let Some(contest_id) = subject.quiz().and_then(|quiz| quiz.contest_id) {
        scores::follow(conn, contest_id, attempt.member_id).await?;
    }
    if let Some(quiz) = subject.quiz().filter(|quiz| !credited && attempt.number >= quiz.attempts) {
        // What is used up is on offer no more.
        points::except_offers(conn, &[attempt.member_id], &[quiz.id.to_string()], now).await?;
    }
    let payload =
        serde_json::json!({"attempt_id": attempt_id, "quiz_id": attempt.quiz_id, "document_id": attempt.document_id});
    outbox::emit(conn, "quiz.submitted", payload, now).await?;
    Ok(receipt)
}

/// What an attempt comes to.
pub struct Mark {
    pub score: i32,
    pub max_score: i32,
    pub percent: i32,
    pub passed: bool,
}

/// Marks what was saved of an attempt; a voided question is right for all who were asked it.
pub async fn marked(conn: &mut Conn, attempt: &AttemptRow, subject: &AttemptSubject) -> Result<Mark, Problem> {
    let questions = attempt.questions()?;
    let (asked, saved) = (frozen::asked(conn, &questions).await?, store::saved(conn, attempt.id).await?);
    let voided = match subject.quiz().filter(|quiz| quiz.voids > 0) {
        Some(quiz) => voids::of_quiz(conn, quiz.id).await?,
        None => HashSet::new(),
    };
    let right = questions.iter().filter(|question| {
        let asked = asked.get(&(question.question_id, question.version));
        voided.contains(&question.question_id) || asked.is_some_and(|asked| is_right(question, &saved, &asked.right()))
    });
    let score = i32::try_from(right.count()).unwrap_or(0);
    let max_score = i32::try_from(questions.len()).unwrap_or(i32::MAX);
    let percent = percent(score, max_score);
    Ok(Mark { score, max_score, percent, passed: percent >= subject.pass_percent() })
}
