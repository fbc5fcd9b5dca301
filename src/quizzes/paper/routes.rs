//! Sheets of paper over HTTP: made, listed for printing, entered.

use actix_web::web::Data;
use actix_web::{get, post};
use aws_lc_rs::rand;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::extract::{Query, ReadRequest, WriteRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Code, Fault, Problem, text};
use crate::kernel::http::reply::{Accepted, Created, Reply};
use crate::kernel::security::access::needs::RecordAttestations;
use crate::kernel::security::audit;
use crate::organisation::decisions::{self, DecisionOut, NewDecision, Registry};
use crate::organisation::{OnUnit, units};
use crate::points::BoardMember;
use crate::quizzes::OBJECT_KIND;
use crate::quizzes::attempts::frozen;
use crate::quizzes::attempts::model::DrawnQuestion;
use crate::quizzes::attempts::start::start;
use crate::quizzes::attempts::store as attempts;
use crate::quizzes::publishing::store::{get as get_quiz, reaches};

use super::decide::{EnteredSheet, PAPER_ANSWERS};
use super::model::{SheetAnswer, answers, code, letter};
use super::store::{self, StoredSheet};
use super::target::OnSheet;

/// Members who take a quiz on paper.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaperSheetsIn {
    /// The quiz, which must be open.
    quiz_id: Uuid,
    /// Members of the unit who are marked as without a device.
    #[schema(min_items = 1, max_items = 100)]
    member_ids: Vec<Uuid>,
}

/// An option on a sheet.
#[derive(Debug, Serialize, ToSchema)]
pub struct SheetOption {
    /// Its letter.
    #[schema(max_length = 1, pattern = "^[A-J]$", example = "A")]
    pub letter: &'static str,
    /// Its text.
    #[schema(max_length = 1000, example = "Mỗi tháng")]
    pub text: String,
}

/// A question on a sheet.
#[derive(Debug, Serialize, ToSchema)]
pub struct SheetQuestion {
    /// Its number.
    #[schema(minimum = 1, maximum = 200, example = 1)]
    pub number: usize,
    /// `single_choice`, `multiple_choice` or `true_false`.
    #[schema(max_length = 20, pattern = "^[a-z_]+$", example = "single_choice")]
    pub kind: String,
    /// Its text.
    #[schema(max_length = 2000, example = "Sinh hoạt chi bộ thường kỳ bao lâu một lần?")]
    pub text: String,
    /// Its options.
    #[schema(min_items = 2, max_items = 10)]
    pub options: Vec<SheetOption>,
}

/// A member's sheet: questions in an order of its own, under a code.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaperSheet {
    /// Written on the sheet.
    #[schema(min_length = 8, max_length = 8, pattern = "^[0-9A-HJKMNP-TV-Z]{8}$", example = "7K3M9QXB")]
    pub code: String,
    /// The quiz.
    quiz_id: Uuid,
    /// The attempt.
    attempt_id: Uuid,
    /// Whose it is.
    pub member: BoardMember,
    /// Whether its answers are entered and wait for a second officer.
    waits: bool,
    /// Whether it is graded.
    graded: bool,
    /// The questions in the order of the sheet.
    #[schema(max_items = 200)]
    pub questions: Vec<SheetQuestion>,
}

/// The sheets that were made.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaperSheets {
    /// One for each member.
    #[schema(max_items = 100)]
    items: Vec<PaperSheet>,
}

/// A sheet with its questions.
pub async fn shown(conn: &mut Conn, row: StoredSheet) -> Result<PaperSheet, Problem> {
    let drawn = attempts::get(conn, row.attempt_id).await?.questions()?;
    let asked = frozen::asked(conn, &drawn).await?;
    let question = |(number, question): (usize, &DrawnQuestion)| {
        let asked = asked.get(&(question.question_id, question.version))?;
        let option = |(place, option): (usize, &crate::quizzes::attempts::model::DrawnOption)| {
            let text = asked.options.iter().find(|stored| stored.id == option.of)?.text.clone();
            Some(SheetOption { letter: letter(place), text })
        };
        let options = question.options.iter().enumerate().filter_map(option).collect();
        Some(SheetQuestion { number, kind: asked.kind.clone(), text: asked.text.clone(), options })
    };
    Ok(PaperSheet {
        questions: (1..).zip(&drawn).filter_map(question).collect(),
        code: row.code,
        quiz_id: row.quiz_id,
        attempt_id: row.attempt_id,
        member: BoardMember { id: row.member_id, full_name: row.full_name },
        waits: row.waits,
        graded: row.submitted_at.is_some(),
    })
}

/// Make sheets of paper
///
/// Starts an attempt on paper for each member: questions and options in an order of their own, under a code. It counts as an
/// attempt; a sheet that was made already is answered again. Its answers can be entered until the quiz closes. For members who are
/// marked as without a device.
#[utoipa::path(tag = "Quizzes", params(("unit_id" = Uuid, Path, description = "The unit.")), request_body = PaperSheetsIn,
    responses((status = 409, description = "The quiz is not open, or a member has used up the attempts or has one open on a device (`attempt_too_soon`, `attempts_used_up`, `quiz_not_open`)."),
        (status = 422, description = "The quiz does not reach a member, who is not of the unit or has a device; `errors` names each.")))]
#[post("/units/{unit_id}/paper-sheets")]
pub async fn make_paper_sheets(
    request: WriteRequest<PaperSheetsIn, OnUnit<RecordAttestations>>,
) -> Result<Created<PaperSheets>, Problem> {
    request
        .commit(async |conn, scope| {
            let (unit_id, body, today) = (scope.on.unit_id, &scope.body, day_of(scope.now));
            let quiz = get_quiz(conn, body.quiz_id).await.map_err(|_| not_reached(&[0]))?;
            let eligible = store::eligible(conn, &body.member_ids, unit_id, today).await?;
            let mut faults = Vec::new();
            for (index, member_id) in body.member_ids.iter().enumerate() {
                let cell = crate::organisation::cell_of(conn, *member_id, today).await?;
                let home = match cell {
                    Some(cell) => units::last_path(conn, cell, today).await?,
                    None => Vec::new(),
                };
                if !eligible.contains(member_id) || !reaches(conn, quiz.id, *member_id, &home).await? {
                    faults.push(index);
                }
            }
            if !faults.is_empty() {
                return Err(not_reached(&faults));
            }
            let mut members = body.member_ids.clone();
            members.sort_unstable();
            members.dedup();
            let mut items = Vec::with_capacity(members.len());
            for member_id in members {
                let (attempt, fresh) = start(conn, &quiz, member_id, scope.now).await?;
                if fresh {
                    let mut random = [0; 8];
                    rand::fill(&mut random).map_err(Problem::internal)?;
                    store::put_on_paper(conn, attempt.id, &code(random), quiz.closes_at).await?;
                } else if attempt.paper_code.is_none() {
                    let (vi, en) = ("Đảng viên đang làm bài trên thiết bị.", "The member takes the quiz on a device.");
                    return Err(Problem::with(Code::Conflict, vi, en));
                }
                let code = attempts::get(conn, attempt.id).await?.paper_code.unwrap_or_default();
                let sheet = store::by_code(conn, &code).await?;
                items.push(shown(conn, sheet).await?);
            }
            let event =
                audit::AuditEvent { unit_id: Some(unit_id), ..scope.audit("quiz.sheets_made", OBJECT_KIND, quiz.id) };
            audit::record(conn, event, scope.now).await?;
            Ok(PaperSheets { items })
        })
        .await
}

fn not_reached(members: &[usize]) -> Problem {
    let fault = |index: &usize| Fault {
        pointer: format!("/member_ids/{index}"),
        code: "not_on_paper",
        detail: text(
            "Không làm bài này trên giấy được: không thuộc đơn vị, có thiết bị, hoặc bài không giao cho người này.",
            "Cannot take this quiz on paper: not of the unit, with a device, or not reached by the quiz.",
        ),
    };
    Problem::faults(Code::RuleNotMet, members.iter().map(fault).collect())
}

/// Which quiz.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PaperQuery {
    /// The quiz.
    pub quiz_id: Uuid,
}

/// List sheets of paper
///
/// The sheets of a quiz for members of the unit, with their questions, for printing.
#[utoipa::path(tag = "Quizzes", params(("unit_id" = Uuid, Path, description = "The unit."), PaperQuery, PageQuery))]
#[get("/units/{unit_id}/paper-sheets")]
pub async fn list_paper_sheets(
    mut request: ReadRequest<OnUnit<RecordAttestations>>,
    query: Query<PaperQuery>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<PaperSheet>>, Problem> {
    let Query(page) = page;
    let (scope, conn) = (&request.scope, &mut request.conn);
    let of = (query.0.quiz_id, scope.on.unit_id, day_of(scope.now));
    let rows = store::of_unit(conn, of, page.after()?, page.fetch()).await?;
    let Page { items: rows, next_cursor } = page.page(rows, |row| row.attempt_id, |row| row);
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.push(shown(conn, row).await?);
    }
    request.reply(&Page { items, next_cursor })
}

/// What is ticked on a sheet.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SheetAnswersIn {
    /// The questions that are answered.
    #[schema(max_items = 200)]
    answers: Vec<SheetAnswer>,
}

/// Enter a sheet of paper
///
/// Proposes what is ticked on the sheet, until the quiz closes. A second officer compares it with the sheet and confirms; then the
/// attempt is graded and paid like any other, marked as assisted, with the whole time of the quiz. Two ticks where one option is asked
/// for count as no answer. Who has seen the key of the quiz neither enters nor confirms, and nobody does for themselves.
#[utoipa::path(tag = "Quizzes", params(("code" = String, Path, description = "The code on the sheet.", max_length = 8)),
    request_body = SheetAnswersIn,
    responses((status = 403, description = "The caller may not do this, is the member, or has seen the key (`own_interest`, `decisions_rest`)."),
        (status = 409, description = "The attempt has ended, or its answers wait already (`attempt_over`)."),
        (status = 422, description = "The sheet does not have these questions or options.")))]
#[post("/paper-sheets/{code}/answers")]
pub async fn enter_paper_answers(
    request: WriteRequest<SheetAnswersIn, OnSheet>,
    kinds: Data<Registry>,
) -> Result<Accepted<DecisionOut>, Problem> {
    let kinds = **kinds;
    request
        .commit(async |conn, scope| {
            let sheet = &scope.on.sheet;
            if sheet.member_id == scope.caller.account_id {
                return Err(Problem::new(Code::OwnInterest));
            }
            let attempt = attempts::lock(conn, sheet.attempt_id).await?;
            if !attempt.is_open() || scope.now > attempt.expires_at {
                return Err(Problem::new(Code::AttemptOver));
            }
            let drawn = attempt.questions()?;
            let asked = frozen::asked(conn, &drawn).await?;
            let single = |question: &DrawnQuestion| {
                let asked = asked.get(&(question.question_id, question.version));
                asked.is_none_or(|asked| asked.kind != "multiple_choice")
            };
            let questions: Vec<(DrawnQuestion, bool)> =
                drawn.iter().map(|question| (question.clone(), single(question))).collect();
            let answers =
                answers(&questions, &scope.body.answers).map_err(|faults| Problem::faults(Code::RuleNotMet, faults))?;
            let (quiz_id, code, entered) = (sheet.quiz_id, sheet.code.clone(), scope.body.answers.clone());
            let payload = EnteredSheet { quiz_id, code, entered, answers };
            let proposal = NewDecision {
                kind: &PAPER_ANSWERS,
                object_id: attempt.id,
                unit_id: scope.on.unit_id,
                subject_id: Some(sheet.member_id),
                at_stake: vec![sheet.member_id],
                reason: "",
                payload: serde_json::to_value(payload).map_err(Problem::internal)?,
            };
            let request_id = Some(scope.context.request_id.as_str());
            let id = decisions::propose(conn, proposal, &scope.caller, request_id, scope.now).await?;
            store::set_waiting(conn, attempt.id, true).await?;
            decisions::answer(conn, id, kinds, scope.context.language, scope.now).await
        })
        .await
}
