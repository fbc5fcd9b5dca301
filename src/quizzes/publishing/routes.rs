//! Quizzes over HTTP: drafts, publication, the list of those a member may take.

use std::collections::HashMap;

use actix_web::{get, post};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::extract::{Empty, Myself, Query, ReadRequest, WriteRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Code, Problem, text};
use crate::kernel::http::reply::{Created, Reply};
use crate::kernel::outbox;
use crate::kernel::security::access::needs::ManageQuizzes;
use crate::kernel::security::audit;
use crate::organisation::OnUnit;
use crate::points;
use crate::quizzes::{ENTERED_RULE, OBJECT_KIND, PASSED_RULE, exposure};

use super::model::{Plan, QuizDraw, QuizTarget, Reveal, Source};
use super::output::{Quiz, managed, quiz};
use super::store::{self, NewQuiz, OwnState, QuizRow};
use super::{OnQuiz, VisibleQuiz, pool};

/// A quiz to be written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuizIn {
    /// What it is called.
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", example = "Tìm hiểu Điều lệ Đảng, tuần 1")]
    title: String,
    /// Questions drawn from banks for each attempt; or leave it out and name `question_ids`.
    #[serde(default)]
    #[schema(max_items = 20)]
    draws: Vec<QuizDraw>,
    /// These questions for each attempt.
    #[serde(default)]
    #[schema(max_items = 200)]
    question_ids: Vec<Uuid>,
    /// How long an attempt lasts.
    #[schema(minimum = 1, maximum = 480, example = 30)]
    minutes: i32,
    /// The share of right answers that passes.
    #[schema(minimum = 1, maximum = 100, example = 50)]
    pass_percent: i32,
    /// Attempts of a member.
    #[schema(minimum = 1, maximum = 5, example = 2)]
    attempts: i32,
    /// How long a member waits between two attempts.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 10_080, default = 0, example = 60)]
    cooldown_minutes: i32,
    /// Whether it earns nothing.
    #[serde(default)]
    #[schema(default = false, example = false)]
    practice: bool,
    /// When right answers are shown.
    #[serde(default)]
    #[schema(example = "after_window")]
    reveal: Reveal,
    /// When the first attempt may start.
    opens_at: DateTime<Utc>,
    /// When every attempt ends.
    closes_at: DateTime<Utc>,
    /// For whom it is; members who join a unit later belong to it.
    #[schema(min_items = 1, max_items = 500)]
    targets: Vec<QuizTarget>,
}

impl QuizIn {
    fn source(&self) -> Result<Source, Problem> {
        match (self.draws.is_empty(), self.question_ids.is_empty()) {
            (false, true) => Ok(Source::Draws(self.draws.clone())),
            (true, false) => {
                let mut questions = self.question_ids.clone();
                questions.sort_unstable();
                questions.dedup();
                Ok(Source::List(questions))
            }
            _ => {
                let detail = text("Hãy ghi draws hoặc question_ids.", "Name either draws or question_ids.");
                Err(Problem::fault("/draws", "required", detail))
            }
        }
    }

    fn plan<'a>(&'a self, source: &'a Source) -> Plan<'a> {
        Plan {
            source,
            minutes: self.minutes.into(),
            practice: self.practice,
            reveal: self.reveal,
            opens_at: self.opens_at,
            closes_at: self.closes_at,
            targets: &self.targets,
        }
    }
}

/// Write a quiz
///
/// Makes a draft that the unit owns. What pays goes to units only and asks at least five questions; practice earns nothing and may go to
/// named members. The window must be at least as long as the minutes. `available` says how many questions each draw has to choose from.
#[utoipa::path(tag = "Quizzes", params(("unit_id" = Uuid, Path, description = "The unit that will own it.")),
    request_body = QuizIn,
    responses((status = 422, description = "The quiz breaks a rule; `errors` names each.")))]
#[post("/units/{unit_id}/quizzes")]
pub async fn create_quiz(request: WriteRequest<QuizIn, OnUnit<ManageQuizzes>>) -> Result<Created<Quiz>, Problem> {
    request
        .commit(async |conn, scope| {
            let body = &scope.body;
            let source = body.source()?;
            body.plan(&source).check()?;
            pool::require_banks(conn, &source, &scope.caller, scope.now).await?;
            let new = NewQuiz {
                unit_id: scope.on.unit_id,
                title: body.title.clone(),
                source,
                minutes: body.minutes,
                pass_percent: body.pass_percent,
                attempts: body.attempts,
                cooldown_minutes: body.cooldown_minutes,
                practice: body.practice,
                reveal: body.reveal,
                opens_at: body.opens_at,
                closes_at: body.closes_at,
                targets: body.targets.clone(),
            };
            let id = store::draft(conn, &new, scope.caller.account_id, scope.now).await?;
            let event =
                audit::AuditEvent { unit_id: Some(new.unit_id), ..scope.audit("quiz.written", OBJECT_KIND, id) };
            audit::record(conn, event, scope.now).await?;
            managed(conn, id, scope, false).await
        })
        .await
}

/// List quizzes of a unit
///
/// What the unit owns, drafts too, newest first. For those who manage its quizzes.
#[utoipa::path(tag = "Quizzes", params(("unit_id" = Uuid, Path, description = "The unit."), PageQuery))]
#[get("/units/{unit_id}/quizzes")]
pub async fn list_unit_quizzes(
    mut request: ReadRequest<OnUnit<ManageQuizzes>>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<Quiz>>, Problem> {
    let Query(page) = page;
    let (unit_id, now) = (request.scope.on.unit_id, request.scope.now);
    let rows = store::of_unit(&mut request.conn, unit_id, page.after()?, page.fetch()).await?;
    request.reply(&page.page(rows, |row| row.id, |row| quiz(row, None, false, now)))
}

/// Publish a quiz
///
/// Freezes the questions for all attempts and tells the points engine what can be earned. Publishing it again changes nothing.
#[utoipa::path(tag = "Quizzes", params(("quiz_id" = Uuid, Path, description = "The quiz.")), request_body = Empty,
    responses((status = 422, description = "A draw has too few questions, or the window has ended.")))]
#[post("/quizzes/{quiz_id}/publication")]
pub async fn publish_quiz(request: WriteRequest<Empty, OnQuiz<ManageQuizzes>>) -> Result<Reply<Quiz>, Problem> {
    request
        .commit(async |conn, scope| {
            let id = scope.on.quiz.id;
            let row = store::lock(conn, id).await?;
            if !row.is_published() {
                let source = row.source()?;
                pool::require_banks(conn, &source, &scope.caller, scope.now).await?;
                publish(conn, &row, scope.caller.account_id, scope.now).await?;
                let event =
                    audit::AuditEvent { unit_id: Some(row.unit_id), ..scope.audit("quiz.published", OBJECT_KIND, id) };
                audit::record(conn, event, scope.now).await?;
            }
            managed(conn, id, scope, false).await
        })
        .await
}

/// Publishes a draft, in the caller's transaction.
pub async fn publish(conn: &mut Conn, row: &QuizRow, by: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    if row.closes_at <= now {
        let (vi, en) = ("Thời gian mở bài thi đã hết.", "The window of the quiz has ended.");
        return Err(Problem::with(Code::RuleNotMet, vi, en));
    }
    let targets = store::targets(conn, row.id).await?;
    store::require_audience(conn, row.unit_id, &targets, now).await?;
    pool::freeze(conn, row, now).await?;
    store::mark_published(conn, row.id, by, now).await?;
    if !row.practice {
        let units: Vec<Uuid> = targets.iter().filter_map(|target| target.unit_id).collect();
        let rule = if row.contest_id.is_some() { ENTERED_RULE } else { PASSED_RULE };
        let offer = points::Offer {
            rules: &[rule],
            object_kind: OBJECT_KIND,
            object_id: row.id.to_string(),
            unit_ids: &units,
            title: row.title.clone(),
        };
        points::offer(conn, &offer, now.max(row.opens_at)).await?;
        exposure::except_from(conn, row.id, now).await?;
    }
    outbox::emit(conn, "quiz.published", json!({"quiz_id": row.id, "unit_id": row.unit_id}), now).await
}

/// List quizzes
///
/// The published quizzes that reach the calling member, those that close last first.
#[utoipa::path(tag = "Quizzes", security(("bearer" = []), ("oauth2" = ["quizzes:read"])), params(PageQuery), responses((status = 403, description = "The caller is no member.")))]
#[get("/quizzes")]
pub async fn list_quizzes(
    mut request: ReadRequest<Myself>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<Quiz>>, Problem> {
    let Query(page) = page;
    let (scope, conn) = (&request.scope, &mut request.conn);
    let (me, now) = (scope.caller.account_id, scope.now);
    let rows = store::reaching(conn, me, &scope.caller.home, page.after()?, page.fetch()).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let own = store::own_states(conn, me, &ids, now).await?;
    let own: HashMap<Uuid, OwnState> = own.into_iter().map(|state| (state.quiz_id, state)).collect();
    let show = |row: QuizRow| {
        let state = own.get(&row.id).cloned();
        quiz(row, state, true, now)
    };
    request.reply(&page.page(rows, |row| (row.closes_at, row.id), show))
}

/// Get a quiz
///
/// For members whom it reaches, and for those who manage it, who see drafts, the audience and where the questions come from.
#[utoipa::path(tag = "Quizzes", security(("bearer" = []), ("oauth2" = ["quizzes:read"])), params(("quiz_id" = Uuid, Path, description = "The quiz.")))]
#[get("/quizzes/{quiz_id}")]
pub async fn get_quiz(mut request: ReadRequest<VisibleQuiz>) -> Result<Reply<Quiz>, Problem> {
    let (scope, conn) = (&request.scope, &mut request.conn);
    let (row, reached) = (scope.on.quiz.clone(), scope.on.reached);
    let shown = if scope.on.manager {
        managed(conn, row.id, scope, reached).await?
    } else {
        let own = store::own_states(conn, scope.caller.account_id, &[row.id], scope.now).await?.pop();
        quiz(row, own, reached, scope.now)
    };
    request.reply(&shown)
}
