//! More time for a named member, given and recorded before the member starts: many are elderly.

use actix_web::{get, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{quiz_attempts, quiz_extensions};
use crate::kernel::extract::{Query, ReadRequest, WriteRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::{Created, Reply};
use crate::kernel::outbox;
use crate::kernel::security::access::needs::ManageQuizzes;
use crate::kernel::security::audit;
use crate::organisation::{cell_of, units};
use crate::quizzes::OBJECT_KIND;

use super::OnQuiz;
use super::store::reaches;

/// More time for a member.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuizExtensionIn {
    /// The member.
    member_id: Uuid,
    /// Minutes beyond those of the quiz; the end of the window stays.
    #[schema(minimum = 1, maximum = 480, example = 30)]
    extra_minutes: i32,
    /// Why.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S", example = "Đảng viên cao tuổi, mắt kém")]
    reason: String,
}

/// More time that a member was given.
#[derive(Debug, Serialize, ToSchema, Queryable)]
pub struct QuizExtension {
    /// The member.
    member_id: Uuid,
    /// Minutes beyond those of the quiz.
    #[schema(minimum = 1, maximum = 480, example = 30)]
    extra_minutes: i32,
    /// Why.
    #[schema(max_length = 500)]
    reason: String,
    /// Who gave it.
    given_by: Uuid,
    /// When.
    given_at: DateTime<Utc>,
}

type ExtensionColumns = (
    quiz_extensions::member_id,
    quiz_extensions::extra_minutes,
    quiz_extensions::reason,
    quiz_extensions::given_by,
    quiz_extensions::given_at,
);
const COLUMNS: ExtensionColumns = (
    quiz_extensions::member_id,
    quiz_extensions::extra_minutes,
    quiz_extensions::reason,
    quiz_extensions::given_by,
    quiz_extensions::given_at,
);

/// The minutes that a member has beyond those of a quiz.
pub async fn extra_minutes(conn: &mut Conn, quiz_id: Uuid, member_id: Uuid) -> Result<i32, Problem> {
    let found = quiz_extensions::table.find((quiz_id, member_id)).select(quiz_extensions::extra_minutes);
    Ok(found.first(conn).await.optional()?.unwrap_or(0))
}

/// Give a member more time
///
/// Before the member starts, and never for oneself. Given again it replaces what was given. Recorded in the audit log; the member is told.
#[utoipa::path(tag = "Quizzes", params(("quiz_id" = Uuid, Path, description = "The quiz.")), request_body = QuizExtensionIn,
    responses((status = 403, description = "The caller may not do this, or is the member (`own_interest`)."),
        (status = 409, description = "The member has started already."),
        (status = 422, description = "The quiz does not reach the member.")))]
#[post("/quizzes/{quiz_id}/extensions")]
pub async fn give_more_time(
    request: WriteRequest<QuizExtensionIn, OnQuiz<ManageQuizzes>>,
) -> Result<Created<QuizExtension>, Problem> {
    request
        .commit(async |conn, scope| {
            let (quiz, body, by) = (&scope.on.quiz, &scope.body, scope.caller.account_id);
            if body.member_id == by {
                return Err(Problem::new(Code::OwnInterest));
            }
            let today = day_of(scope.now);
            let cell = cell_of(conn, body.member_id, today).await?;
            let home = match cell {
                Some(cell) => units::last_path(conn, cell, today).await?,
                None => Vec::new(),
            };
            if !reaches(conn, quiz.id, body.member_id, &home).await? {
                let (vi, en) = ("Bài thi không giao cho đảng viên này.", "The quiz does not reach this member.");
                return Err(Problem::with(Code::RuleNotMet, vi, en));
            }
            require_not_started(conn, quiz.id, body.member_id).await?;
            write(conn, quiz.id, body, (by, scope.now)).await?;
            let event = audit::AuditEvent {
                unit_id: cell,
                member_id: Some(body.member_id),
                details: json!({"extra_minutes": body.extra_minutes}),
                ..scope.audit("quiz.time_extended", OBJECT_KIND, quiz.id)
            };
            audit::record(conn, event, scope.now).await?;
            let details = json!({"quiz_id": quiz.id, "extra_minutes": body.extra_minutes});
            outbox::tell(conn, "quiz_extension", &[body.member_id], &details, scope.now).await?;
            let row = quiz_extensions::table.find((quiz.id, body.member_id)).select(COLUMNS);
            Ok(row.first::<QuizExtension>(conn).await?)
        })
        .await
}

async fn require_not_started(conn: &mut Conn, quiz_id: Uuid, member_id: Uuid) -> Result<(), Problem> {
    let started =
        quiz_attempts::table.filter(quiz_attempts::quiz_id.eq(quiz_id)).filter(quiz_attempts::member_id.eq(member_id));
    if diesel::select(diesel::dsl::exists(started)).get_result(conn).await? {
        let (vi, en) = ("Đảng viên đã bắt đầu làm bài.", "The member has started already.");
        return Err(Problem::with(Code::Conflict, vi, en));
    }
    Ok(())
}

async fn write(
    conn: &mut Conn,
    quiz_id: Uuid,
    body: &QuizExtensionIn,
    (by, now): (Uuid, DateTime<Utc>),
) -> Result<(), Problem> {
    let given = (
        quiz_extensions::extra_minutes.eq(body.extra_minutes),
        quiz_extensions::reason.eq(body.reason.trim()),
        quiz_extensions::given_by.eq(by),
        quiz_extensions::given_at.eq(now),
    );
    diesel::insert_into(quiz_extensions::table)
        .values((quiz_extensions::quiz_id.eq(quiz_id), quiz_extensions::member_id.eq(body.member_id), given))
        .on_conflict((quiz_extensions::quiz_id, quiz_extensions::member_id))
        .do_update()
        .set(given)
        .execute(conn)
        .await?;
    Ok(())
}

/// List members with more time
///
/// Those who were given more time for a quiz, for those who manage it.
#[utoipa::path(tag = "Quizzes", params(("quiz_id" = Uuid, Path, description = "The quiz."), PageQuery))]
#[get("/quizzes/{quiz_id}/extensions")]
pub async fn list_extensions(
    mut request: ReadRequest<OnQuiz<ManageQuizzes>>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<QuizExtension>>, Problem> {
    let Query(page) = page;
    let mut query = quiz_extensions::table
        .filter(quiz_extensions::quiz_id.eq(request.scope.on.quiz.id))
        .order(quiz_extensions::member_id)
        .limit(page.fetch())
        .select(COLUMNS)
        .into_boxed();
    if let Some(after) = page.after::<Uuid>()? {
        query = query.filter(quiz_extensions::member_id.gt(after));
    }
    let rows: Vec<QuizExtension> = query.load(&mut *request.conn).await?;
    request.reply(&page.page(rows, |row| row.member_id, |row| row))
}
