//! Attempts over HTTP.

use std::cell::Cell;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, Responder, get, post, put};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::batching::command::BatchWriter;
use crate::kernel::extract::{BatchedRequest, Empty, Myself, Query, ReadRequest, WriteRequest, answer, path_id};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::{Created, NoContent, OneOf, Reply};

use super::answers::{AnswerSaver, AnswersToSave, AttemptAnswer};
use super::grading::grade;
use super::output::{Attempt, AttemptReceipt, show};
use super::start::start;
use super::store::{self, PastAttempt};
use super::target::{MyAttempt, TakeableQuiz};

/// Start an attempt
///
/// Draws the questions for this attempt, in an order and with ids of its own. While an attempt is open it answers 200 with that one
/// and the answers saved so far. The deadline is the earlier of the minutes and the end of the window; an attempt that was opened
/// counts as used. A person who has seen questions with their key takes the quiz as practice.
#[utoipa::path(tag = "Quizzes", params(("quiz_id" = Uuid, Path, description = "The quiz.")), request_body = Empty,
    responses((status = 409, description = "The quiz is not open, all attempts are used up, or the pause between two is not over (`attempt_too_soon`, `attempts_used_up`, `quiz_not_open`).")))]
#[post("/quizzes/{quiz_id}/attempts")]
pub async fn start_attempt(
    req: HttpRequest,
    request: WriteRequest<Empty, TakeableQuiz>,
) -> Result<OneOf<Created<Attempt>, Reply<Attempt>>, Problem> {
    let fresh = Cell::new(true);
    let reply: Created<Attempt> = request
        .commit(async |conn, scope| {
            let (attempt, new) = start(conn, &scope.on.0, scope.caller.account_id, scope.now).await?;
            fresh.set(new);
            show(conn, attempt, scope.now).await
        })
        .await?;
    if fresh.get() {
        return Ok(OneOf::First(reply));
    }
    let mut response = reply.respond_to(&req);
    *response.status_mut() = StatusCode::OK;
    Ok(OneOf::Second(Reply::of(response)))
}

/// Get an attempt
///
/// The caller's own: its questions, the answers saved so far and the result. When the window has ended also right answers and
/// explanations.
#[utoipa::path(tag = "Quizzes", params(("attempt_id" = Uuid, Path, description = "The attempt.")))]
#[get("/attempts/{attempt_id}")]
pub async fn get_attempt(mut request: ReadRequest<MyAttempt>) -> Result<Reply<Attempt>, Problem> {
    let (scope, conn) = (&request.scope, &mut request.conn);
    let attempt = store::get(conn, scope.on.0).await?;
    let shown = show(conn, attempt, scope.now).await?;
    request.reply(&shown)
}

/// The options ticked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerIn {
    /// The options ticked, by their ids in this attempt; empty for none.
    #[schema(max_items = 10)]
    option_ids: Vec<Uuid>,
    /// Counts the client's changes of this answer: a lower one never replaces a higher one.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, nullable = false, example = 1)]
    seq: Option<i64>,
}

/// Save an answer
///
/// Can be changed until the attempt is submitted; until 15 seconds after its deadline, for slow lines.
#[utoipa::path(tag = "Quizzes", params(("attempt_id" = Uuid, Path, description = "The attempt."),
        ("question_id" = Uuid, Path, description = "The question, by its id in this attempt.")),
    request_body = AnswerIn,
    responses((status = 409, description = "The attempt has ended (`attempt_over`)."),
        (status = 422, description = "The attempt does not request this question or offer these options.")))]
#[put("/attempts/{attempt_id}/answers/{question_id}")]
pub async fn save_answer(
    request: BatchedRequest<AnswerIn>,
    saver: Data<BatchWriter<AnswerSaver>>,
) -> Result<NoContent, Problem> {
    let attempt_id = path_id(&request.request, "attempt_id")?;
    let question_id = path_id(&request.request, "question_id")?;
    let AnswerIn { option_ids, seq } = request.body;
    let answers = vec![AttemptAnswer { question_id, option_ids, seq }];
    saver.ask(request.claims, AnswersToSave { attempt_id, answers, listed: false }, request.now).await?;
    Ok(answer(204, String::new(), false))
}

/// Answers to several questions.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswersIn {
    /// One for each question.
    #[schema(min_items = 1, max_items = 200)]
    answers: Vec<AttemptAnswer>,
}

/// Save answers
///
/// The same for several questions: all are saved, or none.
#[utoipa::path(tag = "Quizzes", params(("attempt_id" = Uuid, Path, description = "The attempt.")), request_body = AnswersIn,
    responses((status = 409, description = "The attempt has ended (`attempt_over`)."),
        (status = 422, description = "The attempt does not request these questions or offer these options.")))]
#[put("/attempts/{attempt_id}/answers")]
pub async fn save_answers(
    request: BatchedRequest<AnswersIn>,
    saver: Data<BatchWriter<AnswerSaver>>,
) -> Result<NoContent, Problem> {
    let attempt_id = path_id(&request.request, "attempt_id")?;
    let answers = request.body.answers;
    saver.ask(request.claims, AnswersToSave { attempt_id, answers, listed: true }, request.now).await?;
    Ok(answer(204, String::new(), false))
}

/// Submit an attempt
///
/// Grades the whole attempt and gives its points in one step. The first attempt that passes is the credited one. Submitting again
/// answers the same result; submitting late answers that of what was saved in time.
#[utoipa::path(tag = "Quizzes", params(("attempt_id" = Uuid, Path, description = "The attempt.")), request_body = Empty)]
#[post("/attempts/{attempt_id}/submission")]
pub async fn submit_attempt(request: WriteRequest<Empty, MyAttempt>) -> Result<Reply<AttemptReceipt>, Problem> {
    let reply: Reply<serde_json::Value> =
        request.commit(async |conn, scope| grade(conn, scope.on.0, scope.now).await).await?;
    Ok(reply.described_as())
}

/// An attempt in a member's history.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttemptSummary {
    /// Identifier.
    id: Uuid,
    /// The quiz; null for the questions of a document.
    quiz_id: Option<Uuid>,
    /// The document whose questions were answered; null for a quiz.
    document_id: Option<Uuid>,
    /// What the quiz or the document is called.
    #[schema(max_length = 200, example = "Tìm hiểu Điều lệ Đảng, tuần 1")]
    title: String,
    /// When it began.
    started_at: DateTime<Utc>,
    /// Its deadline.
    expires_at: DateTime<Utc>,
    /// When it was graded; null while it runs.
    submitted_at: Option<DateTime<Utc>>,
    /// Questions answered as they should be; null while it runs.
    #[schema(minimum = 0, maximum = 200)]
    score: Option<i32>,
    /// Questions asked.
    #[schema(minimum = 1, maximum = 200, example = 5)]
    max_score: i32,
    /// The share in percent; null while it runs.
    #[schema(minimum = 0, maximum = 100)]
    percent: Option<i32>,
    /// Whether the pass mark is reached; null while it runs.
    passed: Option<bool>,
    /// Whether it was practice; null while it runs.
    practice: Option<bool>,
    /// Points earned; null while it runs.
    #[schema(minimum = 0, maximum = 10_000)]
    points: Option<i32>,
}

fn summary(row: PastAttempt) -> AttemptSummary {
    AttemptSummary {
        id: row.id,
        quiz_id: row.quiz_id,
        document_id: row.document_id,
        title: row.title,
        started_at: row.started_at,
        expires_at: row.expires_at,
        submitted_at: row.submitted_at,
        score: row.score,
        max_score: row.max_score,
        percent: row.percent,
        passed: row.passed,
        practice: row.practice,
        points: row.points,
    }
}

/// List my attempts
///
/// The caller's own at all quizzes and at the questions of documents, newest first.
#[utoipa::path(tag = "Quizzes", security(("bearer" = []), ("oauth2" = ["quizzes:read"])), params(PageQuery), responses((status = 403, description = "The caller is no member.")))]
#[get("/me/quiz-attempts")]
pub async fn list_my_attempts(
    mut request: ReadRequest<Myself>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<AttemptSummary>>, Problem> {
    let Query(page) = page;
    let me = request.scope.caller.account_id;
    let rows = store::history(&mut request.conn, me, page.after()?, page.fetch()).await?;
    request.reply(&page.page(rows, |row| row.id, summary))
}
