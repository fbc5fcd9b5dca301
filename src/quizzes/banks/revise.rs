//! Changes a single question over HTTP: a new version of it, or its retirement.

use std::collections::HashMap;

use actix_web::{HttpRequest, patch};
use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::extract::{Authorize, WriteRequest, path_id};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::Reply;
use crate::kernel::ids::new_id;
use crate::kernel::security::audit;
use crate::kernel::security::auth::Principal;
use crate::organisation::units;
use crate::points::question_review;
use crate::quizzes::exposure;
use crate::quizzes::formats::{DraftOption, ImportedQuestion, Kind, Place, QuestionDraft};

use super::file::faulty;
use super::import::{identity_of, row};
use super::review;
use super::routes::{BankQuestion, shown};
use super::store::{self, QuestionRow};
use super::target::{OnBank, on_bank};

/// The question of the path's `question_id`, in a bank whose quizzes the caller manages.
pub struct OnQuestion {
    pub id: Uuid,
    pub bank: OnBank,
}

impl Authorize for OnQuestion {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let id = path_id(req, "question_id")?;
            let bank_id = store::bank_of(conn, id).await?;
            Ok(Self { id, bank: on_bank(conn, bank_id, caller, now).await? })
        })
    }
}

/// An option of a question.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuestionOptionIn {
    /// Its text.
    #[schema(min_length = 1, max_length = 1000, pattern = r"\S", example = "Mỗi tháng")]
    text: String,
    /// Whether it is right.
    correct: bool,
}

/// How a question is answered.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuestionKindIn {
    SingleChoice,
    MultipleChoice,
    TrueFalse,
}

/// Where a question is to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuestionStateIn {
    /// It can be drawn, once a second officer has looked at it where the unit asks for that.
    Reviewed,
    /// It is drawn for no further quiz.
    Retired,
}

/// What changes of a question; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuestionChangesIn {
    /// How it is answered.
    #[schema(nullable = false, example = "single_choice")]
    kind: Option<QuestionKindIn>,
    /// Its text.
    #[schema(
        min_length = 1,
        max_length = 2000,
        pattern = r"\S",
        nullable = false,
        example = "Sinh hoạt chi bộ bao lâu một lần?"
    )]
    text: Option<String>,
    /// All of its options, in their order.
    #[schema(min_items = 2, max_items = 10, nullable = false)]
    options: Option<Vec<QuestionOptionIn>>,
    /// Why the right ones are right; empty for none.
    #[schema(max_length = 4000, nullable = false)]
    explanation: Option<String>,
    /// What it is about; empty for none.
    #[schema(max_length = 200, nullable = false, example = "Sinh hoạt chi bộ")]
    topic: Option<String>,
    /// 1 (easy) to 5 (hard).
    #[schema(minimum = 1, maximum = 5, nullable = false, example = 2)]
    difficulty: Option<u8>,
    /// Where it is to stand.
    #[schema(nullable = false, example = "retired")]
    state: Option<QuestionStateIn>,
}

impl QuestionChangesIn {
    fn changes_content(&self) -> bool {
        self.kind.is_some()
            || self.text.is_some()
            || self.options.is_some()
            || self.explanation.is_some()
            || self.topic.is_some()
            || self.difficulty.is_some()
    }

    /// The question as it is to be, checked like one of a file.
    fn apply(&self, before: &QuestionRow) -> Result<ImportedQuestion, Problem> {
        let kind = match self.kind {
            Some(QuestionKindIn::SingleChoice) => Kind::SingleChoice,
            Some(QuestionKindIn::MultipleChoice) => Kind::MultipleChoice,
            Some(QuestionKindIn::TrueFalse) => Kind::TrueFalse,
            None => match before.kind.as_str() {
                "multiple_choice" => Kind::MultipleChoice,
                "true_false" => Kind::TrueFalse,
                _ => Kind::SingleChoice,
            },
        };
        let options = match &self.options {
            Some(options) => options.iter().map(|o| DraftOption { text: o.text.clone(), correct: o.correct }).collect(),
            None => {
                let stored = before.options()?.into_iter();
                stored.map(|o| DraftOption { text: o.text, correct: o.correct }).collect()
            }
        };
        let draft = QuestionDraft {
            place: Place::question(1),
            kind: Some(kind),
            text: self.text.clone().unwrap_or_else(|| before.text.clone()),
            options,
            explanation: self.explanation.clone().or_else(|| before.explanation.clone()),
            topic: self.topic.clone().or_else(|| before.topic.clone()),
            difficulty: self.difficulty.or(before.difficulty.and_then(|level| u8::try_from(level).ok())),
        };
        draft.check().map_err(|faults| faulty(&faults))
    }
}

/// Change a question
///
/// A changed question is a new version: quizzes that are published ask it as it was. A retired one is drawn for no further quiz. Where
/// the unit's parameter `question_review` is 1 a changed question is a draft until a second officer has confirmed the review that
/// `review_decision_id` names. Recorded: the caller takes quizzes drawn from the question as practice.
#[utoipa::path(tag = "Quizzes", params(("question_id" = Uuid, Path, description = "The question.")),
    request_body = QuestionChangesIn,
    responses((status = 409, description = "The bank has such a question already."),
        (status = 422, description = "The question has faults (`questions_faulty`).")))]
#[patch("/questions/{question_id}")]
pub async fn update_question(
    request: WriteRequest<QuestionChangesIn, OnQuestion>,
) -> Result<Reply<BankQuestion>, Problem> {
    request
        .commit(async |conn, scope| {
            let (id, bank, body, now) = (scope.on.id, &scope.on.bank, &scope.body, scope.now);
            store::lock(conn, bank.bank_id).await?;
            let before = store::question(conn, id).await?;
            let account_id = scope.caller.account_id;
            let mut seen = vec![before.identity.clone()];
            let path = units::last_path(conn, bank.unit_id, day_of(now)).await?;
            let wanted = body.state.unwrap_or(match before.state.as_str() {
                "retired" => QuestionStateIn::Retired,
                _ => QuestionStateIn::Reviewed,
            });
            let changed = body.changes_content();
            let drawable = wanted == QuestionStateIn::Reviewed;
            let waits =
                drawable && (changed || before.state != "reviewed") && question_review(conn, &path, now).await?;
            let review_id = waits.then(|| new_id(now));
            if changed {
                let question = body.apply(&before)?;
                let identity = identity_of(&question);
                if identity != before.identity
                    && !store::of_identities(conn, bank.bank_id, std::slice::from_ref(&identity)).await?.is_empty()
                {
                    let (vi, en) = ("Ngân hàng đã có câu hỏi này.", "The bank has such a question already.");
                    return Err(Problem::with(Code::Conflict, vi, en));
                }
                let ids: HashMap<String, Uuid> =
                    before.options()?.into_iter().map(|option| (option.text.to_lowercase(), option.id)).collect();
                let mut version = row(&question, &identity, (id, before.version + 1), &ids, None, now);
                version["topic"] = json!(question.topic);
                store::revise(conn, &version, (account_id, now)).await?;
                seen.push(identity);
            }
            let state = match (wanted, review_id) {
                (QuestionStateIn::Retired, _) => "retired",
                (QuestionStateIn::Reviewed, Some(_)) => "draft",
                (QuestionStateIn::Reviewed, None) => "reviewed",
            };
            store::place(conn, id, state, review_id).await?;
            exposure::record(conn, account_id, &seen, now).await?;
            let event = audit::AuditEvent {
                unit_id: Some(bank.unit_id),
                details: json!({"bank_id": bank.bank_id, "state": state, "new_version": changed}),
                ..scope.audit("question.changed", "question", id)
            };
            audit::record(conn, event, now).await?;
            let decision = match review_id {
                Some(review_id) => {
                    let by = (&scope.caller, Some(scope.context.request_id.as_str()));
                    Some(review::propose(conn, (bank, review_id), 1, by, now).await?)
                }
                None => None,
            };
            shown(store::question(conn, id).await?).map(|question| question.with_review(decision))
        })
        .await
}
