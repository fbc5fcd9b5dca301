//! The decision that voids a question: an officer of quizzes proposes, one who decides on points confirms.

use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Code, Problem, Text, text};
use crate::kernel::outbox;
use crate::kernel::security::access::Permission;
use crate::kernel::security::audit;
use crate::kernel::security::auth::Principal;
use crate::organisation::decisions::{Decision, DecisionKind, DecisionRole};

use super::store;

/// The kind of decision that voids a question of a published quiz.
pub struct QuestionVoid;

/// See [`QuestionVoid`].
pub static QUESTION_VOID: QuestionVoid = QuestionVoid;

/// What is voided.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct VoidedQuestion {
    pub quiz_id: Uuid,
    pub question_id: Uuid,
}

fn voided(decision: &Decision) -> Result<VoidedQuestion, Problem> {
    serde_json::from_value(decision.payload.clone()).map_err(Problem::internal)
}

impl DecisionKind for QuestionVoid {
    fn code(&self) -> &'static str {
        "question_void"
    }

    fn title(&self) -> Text {
        text("Hủy một câu hỏi thi sai đáp án", "Voiding a question with a wrong key")
    }

    fn proposing(&self) -> Permission {
        Permission::ManageQuizzes
    }

    fn deciding(&self) -> Permission {
        Permission::DecideAdjustments
    }

    /// Nobody who took the quiz in earnest decides on its points.
    fn check<'a>(
        &'a self,
        conn: &'a mut Conn,
        decision: &'a Decision,
        (officer, _): (&'a Principal, DecisionRole),
        _: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<(), Problem>> {
        Box::pin(async move {
            let quiz_id = voided(decision)?.quiz_id;
            let taken = store::has_taken(conn, quiz_id, officer.account_id).await?;
            if taken { Err(Problem::new(Code::OwnInterest)) } else { Ok(()) }
        })
    }

    fn apply<'a>(
        &'a self,
        conn: &'a mut Conn,
        decision: &'a Decision,
        request_id: Option<&'a str>,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<(), Problem>> {
        Box::pin(async move {
            let VoidedQuestion { quiz_id, question_id } = voided(decision)?;
            if !store::void(conn, (quiz_id, question_id), decision.id, now).await? {
                return Err(Problem::with(
                    Code::Conflict,
                    "Câu hỏi này đã được hủy.",
                    "The question is voided already.",
                ));
            }
            let event = audit::AuditEvent {
                actor_id: decision.decided_by,
                client_id: None,
                action: "quiz.question_voided",
                object_kind: "quiz",
                object_id: quiz_id,
                unit_id: Some(decision.unit_id),
                member_id: None,
                request_id,
                details: json!({"question_id": question_id}),
            };
            audit::record(conn, event, now).await?;
            let payload = json!({"quiz_id": quiz_id, "question_id": question_id});
            outbox::emit(conn, "quiz.question_voided", payload, now).await
        })
    }
}
