//! Question banks over HTTP.

use actix_web::{get, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::extract::{Query, ReadRequest, WriteRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::{Created, Reply};
use crate::kernel::security::access::needs::ManageQuizzes;
use crate::kernel::security::audit;
use crate::organisation::OnUnit;
use crate::quizzes::exposure;

use super::store::{self, BankRow, NewBank, QuestionRow};
use super::target::OnBank;

/// A question bank to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuestionBankIn {
    /// What its questions are about.
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", example = "Điều lệ Đảng")]
    title: String,
    /// The document that they are about, owned by the same unit.
    #[schema(nullable = false)]
    document_id: Option<Uuid>,
}

/// A question bank.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuestionBank {
    /// Identifier.
    id: Uuid,
    /// The unit that owns it.
    unit_id: Uuid,
    /// What its questions are about.
    #[schema(max_length = 200, example = "Điều lệ Đảng")]
    title: String,
    /// The document that they are about.
    document_id: Option<Uuid>,
    /// Questions that are not retired.
    #[schema(minimum = 0, maximum = 1_000_000, example = 12)]
    questions: i64,
    /// Whether its document was superseded or recalled: its questions are drawn for no further quiz.
    outdated: bool,
    /// When it was made.
    created_at: DateTime<Utc>,
}

impl From<BankRow> for QuestionBank {
    fn from(row: BankRow) -> Self {
        Self {
            id: row.id,
            unit_id: row.unit_id,
            title: row.title,
            document_id: row.document_id,
            questions: row.questions,
            outdated: row.outdated,
            created_at: row.created_at,
        }
    }
}

/// Make a question bank
///
/// A bank that the unit owns. Only those who manage quizzes of the unit know of it.
#[utoipa::path(tag = "Quizzes", params(("unit_id" = Uuid, Path, description = "The unit that will own it.")),
    request_body = QuestionBankIn,
    responses((status = 422, description = "The unit owns no such document.")))]
#[post("/units/{unit_id}/question-banks")]
pub async fn create_question_bank(
    request: WriteRequest<QuestionBankIn, OnUnit<ManageQuizzes>>,
) -> Result<Created<QuestionBank>, Problem> {
    request
        .commit(async |conn, scope| {
            let body = &scope.body;
            let unit_id = scope.on.unit_id;
            if let Some(document_id) = body.document_id {
                store::require_document(conn, document_id, unit_id).await?;
            }
            let new = NewBank { unit_id, title: body.title.clone(), document_id: body.document_id };
            let id = store::create(conn, &new, scope.caller.account_id, scope.now).await?;
            let event =
                audit::AuditEvent { unit_id: Some(unit_id), ..scope.audit("question_bank.made", "question_bank", id) };
            audit::record(conn, event, scope.now).await?;
            Ok(QuestionBank::from(store::get(conn, id).await?))
        })
        .await
}

/// List question banks of a unit
///
/// The banks that the unit owns, newest first. For those who manage its quizzes.
#[utoipa::path(tag = "Quizzes", params(("unit_id" = Uuid, Path, description = "The unit."), PageQuery))]
#[get("/units/{unit_id}/question-banks")]
pub async fn list_question_banks(
    mut request: ReadRequest<OnUnit<ManageQuizzes>>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<QuestionBank>>, Problem> {
    let Query(page) = page;
    let unit_id = request.scope.on.unit_id;
    let rows = store::of_unit(&mut request.conn, unit_id, page.after()?, page.fetch()).await?;
    request.reply(&page.page(rows, |row| row.id, QuestionBank::from))
}

/// An option of a question, with whether it is right.
#[derive(Debug, Serialize, ToSchema)]
pub struct BankOption {
    /// Identifier.
    id: Uuid,
    /// Its text.
    #[schema(max_length = 1000, example = "Mỗi tháng")]
    text: String,
    /// Whether it is right.
    correct: bool,
}

/// A question of a bank, with its key.
#[derive(Debug, Serialize, ToSchema)]
pub struct BankQuestion {
    /// Identifier.
    id: Uuid,
    /// `single_choice`, `multiple_choice` or `true_false`.
    #[schema(max_length = 20, pattern = "^[a-z_]+$", example = "single_choice")]
    kind: String,
    /// Its text.
    #[schema(max_length = 2000, example = "Sinh hoạt chi bộ thường kỳ bao lâu một lần?")]
    text: String,
    /// The options in the order of the file they came from.
    #[schema(min_items = 2, max_items = 10)]
    options: Vec<BankOption>,
    /// Why the right ones are right.
    #[schema(max_length = 4000)]
    explanation: Option<String>,
    /// What it is about.
    #[schema(max_length = 200, example = "Sinh hoạt chi bộ")]
    topic: Option<String>,
    /// 1 (easy) to 5 (hard).
    #[schema(minimum = 1, maximum = 5, example = 2)]
    difficulty: Option<i16>,
    /// `draft`, `reviewed` or `retired`.
    #[schema(max_length = 20, pattern = "^[a-z]+$", example = "reviewed")]
    state: String,
    /// Counts its changes.
    #[schema(minimum = 1, maximum = 1_000_000, example = 1)]
    version: i32,
    /// Whether a second officer has still to look at it.
    waits_for_review: bool,
    /// Whether the document of its bank was superseded or recalled: it is drawn for no further quiz.
    outdated: bool,
    /// The decision of a second officer that this change waits for; there in the answer to the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    review_decision_id: Option<Uuid>,
}

impl BankQuestion {
    /// The same with the decision that its change waits for.
    pub fn with_review(self, review_decision_id: Option<Uuid>) -> Self {
        Self { review_decision_id, ..self }
    }
}

/// A question as the officers of its bank see it.
pub fn shown(row: QuestionRow) -> Result<BankQuestion, Problem> {
    let options = row.options()?.into_iter();
    Ok(BankQuestion {
        id: row.id,
        options: options.map(|o| BankOption { id: o.id, text: o.text, correct: o.correct }).collect(),
        kind: row.kind,
        text: row.text,
        explanation: row.explanation,
        topic: row.topic,
        difficulty: row.difficulty,
        state: row.state,
        version: row.version,
        waits_for_review: row.waits,
        outdated: row.outdated,
        review_decision_id: None,
    })
}

/// List questions of a bank
///
/// The questions with their key, in the order in which they came. Recorded: the caller takes quizzes drawn from the questions
/// shown as practice.
#[utoipa::path(tag = "Quizzes", params(("bank_id" = Uuid, Path, description = "The bank."), PageQuery))]
#[get("/question-banks/{bank_id}/questions")]
pub async fn list_questions(
    mut request: ReadRequest<OnBank>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<BankQuestion>>, Problem> {
    let Query(page) = page;
    let (bank_id, account_id, now) = (request.scope.on.bank_id, request.scope.caller.account_id, request.scope.now);
    let rows = store::questions(&mut request.conn, bank_id, page.after()?, page.fetch()).await?;
    let identities: Vec<Vec<u8>> = rows.iter().map(|row| row.identity.clone()).collect();
    exposure::record(&mut request.conn, account_id, &identities, now).await?;
    let Page { items, next_cursor } = page.page(rows, |row| row.no, shown);
    let items = items.into_iter().collect::<Result<Vec<_>, _>>()?;
    request.reply(&Page { items, next_cursor })
}
