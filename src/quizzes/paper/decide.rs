//! The decision that grades a sheet: one officer enters the answers, a second one compares them with the sheet.

use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Code, Problem, Text, text};
use crate::kernel::security::access::Permission;
use crate::kernel::security::audit;
use crate::kernel::security::auth::Principal;
use crate::organisation::decisions::{Decision, DecisionKind, DecisionRole};
use crate::points;
use crate::quizzes::attempts::answers::AttemptAnswer;
use crate::quizzes::attempts::grading::grade;
use crate::quizzes::attempts::store as attempts;
use crate::quizzes::exposure;

use super::model::SheetAnswer;
use super::store;

/// The kind of decision that grades what is ticked on a sheet.
pub struct PaperAnswers;

/// See [`PaperAnswers`].
pub static PAPER_ANSWERS: PaperAnswers = PaperAnswers;

/// What was entered of a sheet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EnteredSheet {
    pub quiz_id: Uuid,
    /// The code on the sheet.
    pub code: String,
    /// By numbers and letters, as on the sheet.
    pub entered: Vec<SheetAnswer>,
    /// The same in the terms of the attempt.
    pub answers: Vec<AttemptAnswer>,
}

fn entered(decision: &Decision) -> Result<EnteredSheet, Problem> {
    serde_json::from_value(decision.payload.clone()).map_err(Problem::internal)
}

impl DecisionKind for PaperAnswers {
    fn code(&self) -> &'static str {
        "paper_answers"
    }

    fn title(&self) -> Text {
        text("Kết quả làm bài trên giấy", "Answers on a sheet of paper")
    }

    fn proposing(&self) -> Permission {
        Permission::RecordAttestations
    }

    fn deciding(&self) -> Permission {
        Permission::ConfirmAttestations
    }

    fn valid_days(&self) -> u64 {
        14
    }

    /// Nobody who has seen the key enters or confirms answers.
    fn check<'a>(
        &'a self,
        conn: &'a mut Conn,
        decision: &'a Decision,
        (officer, _): (&'a Principal, DecisionRole),
        _: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<(), Problem>> {
        Box::pin(async move {
            let quiz_id = entered(decision)?.quiz_id;
            if !exposure::of_quiz(conn, quiz_id, officer.account_id).await? {
                return Ok(());
            }
            Err(Problem::with(
                Code::OwnInterest,
                "Người đã xem đáp án không được nhập hoặc xác nhận bài làm.",
                "Who has seen the key neither enters nor confirms answers.",
            ))
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
            let EnteredSheet { quiz_id, answers, .. } = entered(decision)?;
            let seen = attempts::get(conn, decision.object_id).await?;
            // The month comes before anything else of the member.
            points::lock_month(conn, seen.member_id, now.min(seen.expires_at)).await?;
            let attempt = attempts::lock(conn, decision.object_id).await?;
            if !attempt.is_open() {
                return Err(Problem::new(Code::AttemptOver));
            }
            store::set_assisted(conn, attempt.id).await?;
            attempts::save(conn, answers.iter().map(|answer| (attempt.id, answer, now)).collect()).await?;
            grade(conn, attempt.id, now).await?;
            let event = audit::AuditEvent {
                actor_id: decision.decided_by,
                client_id: None,
                action: "quiz.sheet_graded",
                object_kind: "quiz",
                object_id: quiz_id,
                unit_id: Some(decision.unit_id),
                member_id: decision.subject_id,
                request_id,
                details: json!({"attempt_id": attempt.id}),
            };
            audit::record(conn, event, now).await
        })
    }

    /// What was not confirmed can be entered again until the quiz closes.
    fn close<'a>(
        &'a self,
        conn: &'a mut Conn,
        decision: &'a Decision,
        _: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<(), Problem>> {
        Box::pin(async move { store::set_waiting(conn, decision.object_id, false).await })
    }
}
