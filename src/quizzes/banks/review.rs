//! Review of questions: where the unit asks for it, a second officer confirms new and changed ones.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use futures_util::future::LocalBoxFuture;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::questions;
use crate::kernel::http::problem::{Problem, Text, text};
use crate::kernel::security::access::Permission;
use crate::kernel::security::audit;
use crate::kernel::security::auth::Principal;
use crate::organisation::decisions::{self, Decision, DecisionKind, NewDecision};

use super::target::OnBank;

/// The kind of decision that lets questions be drawn.
pub struct QuestionReview;

/// See [`QuestionReview`].
pub static QUESTION_REVIEW: QuestionReview = QuestionReview;

/// Asks for a second officer on the questions that wait for a review. Returns the decision's id.
pub async fn propose(
    conn: &mut Conn,
    (bank, review_id): (&OnBank, Uuid),
    count: usize,
    (by, request_id): (&Principal, Option<&str>),
    now: DateTime<Utc>,
) -> Result<Uuid, Problem> {
    let proposal = NewDecision {
        kind: &QUESTION_REVIEW,
        object_id: review_id,
        unit_id: bank.unit_id,
        subject_id: None,
        at_stake: Vec::new(),
        reason: "",
        payload: json!({"bank_id": bank.bank_id, "questions": count}),
    };
    decisions::propose(conn, proposal, by, request_id, now).await
}

impl DecisionKind for QuestionReview {
    fn code(&self) -> &'static str {
        "question_review"
    }

    fn title(&self) -> Text {
        text("Duyệt câu hỏi", "Review of questions")
    }

    fn proposing(&self) -> Permission {
        Permission::ManageQuizzes
    }

    fn deciding(&self) -> Permission {
        Permission::ManageQuizzes
    }

    /// Questions move no figure.
    fn rests_proposer(&self) -> bool {
        false
    }

    fn apply<'a>(
        &'a self,
        conn: &'a mut Conn,
        decision: &'a Decision,
        request_id: Option<&'a str>,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<(), Problem>> {
        Box::pin(async move {
            // A question that was changed since waits for a review of its own.
            let reviewed = diesel::update(questions::table.filter(questions::review_id.eq(decision.object_id)))
                .set((questions::state.eq("reviewed"), questions::review_id.eq(None::<Uuid>)))
                .execute(conn)
                .await?;
            let event = audit::AuditEvent {
                actor_id: decision.decided_by,
                client_id: None,
                action: "questions.reviewed",
                object_kind: "question_review",
                object_id: decision.object_id,
                unit_id: Some(decision.unit_id),
                member_id: None,
                request_id,
                details: json!({"questions": reviewed}),
            };
            audit::record(conn, event, now).await
        })
    }

    /// What was not confirmed stays a draft.
    fn close<'a>(
        &'a self,
        conn: &'a mut Conn,
        decision: &'a Decision,
        _: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<(), Problem>> {
        Box::pin(async move {
            diesel::update(questions::table.filter(questions::review_id.eq(decision.object_id)))
                .set(questions::review_id.eq(None::<Uuid>))
                .execute(conn)
                .await?;
            Ok(())
        })
    }
}
