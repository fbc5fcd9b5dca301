//! Voiding questions over HTTP.

use actix_web::post;
use actix_web::web::Data;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::extract::WriteRequest;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::Accepted;
use crate::kernel::security::access::needs::ManageQuizzes;
use crate::organisation::decisions::{self, DecisionOut, NewDecision, Registry};
use crate::quizzes::publishing::OnQuiz;

use super::decide::{QUESTION_VOID, VoidedQuestion};
use super::store;

/// A question to be voided.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuestionVoidIn {
    /// The question, by its id in the bank.
    question_id: Uuid,
    /// What is wrong with it; shown to the second officer.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S", example = "Đáp án ghi sai so với Điều lệ")]
    reason: String,
}

/// Void a question of a quiz
///
/// Proposes that a question with a wrong key counts as answered well by all who were asked it. A second officer, who decides on points,
/// confirms; then all attempts are graded again, differences are paid for the month of each attempt (as late entries when it is
/// closed), and results, analysis and contest boards follow. Nobody loses a point. An officer who took the quiz in earnest neither proposes
/// nor confirms.
#[utoipa::path(tag = "Quizzes", params(("quiz_id" = Uuid, Path, description = "The quiz.")), request_body = QuestionVoidIn,
    responses((status = 403, description = "The caller may not do this, or took the quiz in earnest (`own_interest`, `decisions_rest`)."),
        (status = 409, description = "The same proposal waits already, or the question is voided."),
        (status = 422, description = "The quiz is not published, or does not ask this question.")))]
#[post("/quizzes/{quiz_id}/voids")]
pub async fn void_question(
    request: WriteRequest<QuestionVoidIn, OnQuiz<ManageQuizzes>>,
    kinds: Data<Registry>,
) -> Result<Accepted<DecisionOut>, Problem> {
    let kinds = **kinds;
    request
        .commit(async |conn, scope| {
            let (quiz, question_id) = (&scope.on.quiz, scope.body.question_id);
            if !store::is_in_pool(conn, quiz.id, question_id).await? {
                let (vi, en) = ("Bài thi không có câu hỏi này.", "The quiz does not ask this question.");
                return Err(Problem::with(Code::RuleNotMet, vi, en));
            }
            if store::of_quiz(conn, quiz.id).await?.contains(&question_id) {
                let (vi, en) = ("Câu hỏi này đã được hủy.", "The question is voided already.");
                return Err(Problem::with(Code::Conflict, vi, en));
            }
            let wanted = VoidedQuestion { quiz_id: quiz.id, question_id };
            let proposal = NewDecision {
                kind: &QUESTION_VOID,
                object_id: question_id,
                unit_id: quiz.unit_id,
                subject_id: None,
                at_stake: Vec::new(),
                reason: scope.body.reason.trim(),
                payload: serde_json::to_value(wanted).map_err(Problem::internal)?,
            };
            let request_id = Some(scope.context.request_id.as_str());
            let id = decisions::propose(conn, proposal, &scope.caller, request_id, scope.now).await?;
            decisions::answer(conn, id, kinds, scope.context.language, scope.now).await
        })
        .await
}
