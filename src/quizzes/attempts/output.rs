//! Attempts as members see them: without a key until the window has ended.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;
use crate::points::{Award, Entry, MonthBrief, Refusal};
use crate::quizzes::publishing::model::Reveal;
use crate::quizzes::voids::store as voids;

use super::answers::{AttemptAnswer, GRACE_SECONDS};
use super::frozen::{self, Asked};
use super::model::DrawnQuestion;
use super::store::{self, AttemptRow, Grade};
use super::subject::AttemptSubject;

/// An option of a question.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttemptOption {
    /// Its id in this attempt.
    id: Uuid,
    /// Its text.
    #[schema(max_length = 1000, example = "Mỗi tháng")]
    text: String,
    /// Whether it is right; there when right answers are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    correct: Option<bool>,
}

/// A question of an attempt.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttemptQuestion {
    /// Its id in this attempt.
    id: Uuid,
    /// `single_choice`, `multiple_choice` or `true_false`.
    #[schema(max_length = 20, pattern = "^[a-z_]+$", example = "single_choice")]
    kind: String,
    /// Its text.
    #[schema(max_length = 2000, example = "Sinh hoạt chi bộ thường kỳ bao lâu một lần?")]
    text: String,
    /// The options in the order of this attempt.
    #[schema(min_items = 2, max_items = 10)]
    options: Vec<AttemptOption>,
    /// Why the right options are right; there when right answers are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 4000, nullable = false)]
    explanation: Option<String>,
    /// There when officers voided the question: it counts as answered well by all who were asked it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    voided: Option<bool>,
}

/// An attempt.
#[derive(Debug, Serialize, ToSchema)]
pub struct Attempt {
    /// Identifier.
    id: Uuid,
    /// The quiz; null for the questions of a document.
    quiz_id: Option<Uuid>,
    /// The document whose questions are answered; null for a quiz.
    document_id: Option<Uuid>,
    /// Counts the member's attempts at the quiz or the document.
    #[schema(minimum = 1, maximum = 100_000, example = 1)]
    number: i32,
    /// When it began.
    started_at: DateTime<Utc>,
    /// The deadline by the server's clock.
    expires_at: DateTime<Utc>,
    /// When it was graded; null while it runs.
    submitted_at: Option<DateTime<Utc>>,
    /// Whether it earns nothing, as far as is known now.
    practice: bool,
    /// The questions in the order of this attempt.
    #[schema(max_items = 200)]
    questions: Vec<AttemptQuestion>,
    /// The answers saved so far.
    #[schema(max_items = 200)]
    answers: Vec<AttemptAnswer>,
    /// The result; null while the attempt runs.
    #[schema(value_type = Option<AttemptReceipt>)]
    receipt: Option<serde_json::Value>,
}

/// Result of an attempt.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttemptReceipt {
    /// The attempt.
    attempt_id: Uuid,
    /// Questions answered as they should be.
    #[schema(minimum = 0, maximum = 200, example = 4)]
    score: i32,
    /// Questions asked.
    #[schema(minimum = 1, maximum = 200, example = 5)]
    max_score: i32,
    /// The share in percent, rounded down.
    #[schema(minimum = 0, maximum = 100, example = 80)]
    percent: i32,
    /// Whether the pass mark is reached.
    passed: bool,
    /// Whether it earned nothing because it was practice.
    practice: bool,
    /// Whether officers entered the answers of a sheet of paper.
    assisted: bool,
    /// Whether the server graded it after its deadline.
    expired: bool,
    /// When it counts.
    submitted_at: DateTime<Utc>,
    /// Points earned.
    #[schema(minimum = 0, maximum = 10_000, example = 5)]
    points_awarded: i32,
    /// What was written to the ledger.
    #[schema(max_items = 20)]
    entries: Vec<Entry>,
    /// Which rules gave nothing, and why.
    #[schema(max_items = 20)]
    refusals: Vec<Refusal>,
    /// The member's month; null for a member without a cell.
    month: Option<MonthBrief>,
}

impl AttemptReceipt {
    pub fn new(attempt: &AttemptRow, grade: &Grade, max_score: i32, award: Option<Award>) -> Self {
        let (entries, refusals, month) =
            award.map_or((Vec::new(), Vec::new(), None), |award| (award.entries, award.refusals, Some(award.month)));
        Self {
            attempt_id: attempt.id,
            score: grade.score,
            max_score,
            percent: grade.percent,
            passed: grade.passed,
            practice: grade.practice,
            assisted: attempt.assisted,
            expired: grade.expired,
            submitted_at: grade.at,
            points_awarded: grade.points,
            entries,
            refusals,
            month,
        }
    }
}

/// Whether right answers may be shown: after the window, or at once for practice, and never while the attempt runs.
/// Questions of a document never show theirs.
fn is_revealed(attempt: &AttemptRow, subject: &AttemptSubject, now: DateTime<Utc>) -> bool {
    let Some(quiz) = subject.quiz() else { return false };
    let at_once = quiz.practice && quiz.reveal() == Reveal::AtOnce;
    // Others may still be saving within their grace.
    let ended = now > quiz.closes_at + TimeDelta::seconds(GRACE_SECONDS);
    attempt.submitted_at.is_some() && (at_once || ended)
}

/// An attempt as its member sees it now.
pub async fn show(conn: &mut Conn, attempt: AttemptRow, now: DateTime<Utc>) -> Result<Attempt, Problem> {
    let subject = AttemptSubject::of(conn, &attempt).await?;
    let drawn = attempt.questions()?;
    let asked = frozen::asked(conn, &drawn).await?;
    let saved = store::saved(conn, attempt.id).await?;
    let revealed = is_revealed(&attempt, &subject, now);
    let practice = subject.is_practice(conn, attempt.member_id, &drawn).await?;
    let voided = match subject.quiz().filter(|quiz| quiz.voids > 0) {
        Some(quiz) => voids::of_quiz(conn, quiz.id).await?,
        None => HashSet::new(),
    };
    let questions = drawn.iter().filter_map(|question| {
        let asked = asked.get(&(question.question_id, question.version))?;
        Some(shown(question, asked, revealed, voided.contains(&question.question_id)))
    });
    let answer = |question: &DrawnQuestion| {
        let option_ids = saved.get(&question.id)?.clone();
        Some(AttemptAnswer { question_id: question.id, option_ids, seq: None })
    };
    Ok(Attempt {
        questions: questions.collect(),
        answers: drawn.iter().filter_map(answer).collect(),
        id: attempt.id,
        quiz_id: attempt.quiz_id,
        document_id: attempt.document_id,
        number: attempt.number,
        started_at: attempt.started_at,
        expires_at: attempt.expires_at,
        submitted_at: attempt.submitted_at,
        practice,
        receipt: attempt.receipt,
    })
}

fn shown(question: &DrawnQuestion, asked: &Asked, revealed: bool, voided: bool) -> AttemptQuestion {
    let texts: HashMap<Uuid, (&str, bool)> =
        asked.options.iter().map(|option| (option.id, (option.text.as_str(), option.correct))).collect();
    let options = question.options.iter().filter_map(|option| {
        let (text, correct) = texts.get(&option.of)?;
        Some(AttemptOption { id: option.id, text: (*text).to_owned(), correct: revealed.then_some(*correct) })
    });
    AttemptQuestion {
        id: question.id,
        kind: asked.kind.clone(),
        text: asked.text.clone(),
        options: options.collect(),
        explanation: asked.explanation.clone().filter(|_| revealed),
        voided: voided.then_some(true),
    }
}
