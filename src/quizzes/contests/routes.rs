//! Contests over HTTP: made of drafts, listed for officers and for members.

use std::collections::HashMap;

use actix_web::{get, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::extract::{Myself, Query, ReadRequest, WriteRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::{Created, Reply};
use crate::kernel::outbox;
use crate::kernel::security::access::needs::ManageQuizzes;
use crate::kernel::security::audit;
use crate::organisation::OnUnit;
use crate::quizzes::publishing::model::QuizState;
use crate::quizzes::publishing::store::QuizRow;

use super::store::{self, NewContest, StoredContest};
use super::target::VisibleContest;

/// A round of a contest to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContestRoundIn {
    /// A draft of the unit; it is published like any quiz.
    quiz_id: Uuid,
}

/// A contest to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContestIn {
    /// What it is called.
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", example = "Cuộc thi tìm hiểu Điều lệ Đảng")]
    title: String,
    /// The rounds in their order; each begins when the one before it has ended.
    #[schema(min_items = 1, max_items = 50)]
    rounds: Vec<ContestRoundIn>,
}

/// A round of a contest.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContestRound {
    /// The round, from 1.
    #[schema(minimum = 1, maximum = 50, example = 1)]
    round: i16,
    /// The quiz that is taken.
    quiz_id: Uuid,
    /// What it is called.
    #[schema(max_length = 200, example = "Tìm hiểu Điều lệ Đảng, tuần 1")]
    title: String,
    /// Where it stands.
    state: QuizState,
    /// When its window begins.
    opens_at: DateTime<Utc>,
    /// When its window ends.
    closes_at: DateTime<Utc>,
    /// Questions of an attempt.
    #[schema(minimum = 1, maximum = 200, example = 5)]
    questions: i32,
}

/// A contest.
#[derive(Debug, Serialize, ToSchema)]
pub struct Contest {
    /// Identifier.
    id: Uuid,
    /// The unit that holds it.
    unit_id: Uuid,
    /// What it is called.
    #[schema(max_length = 200, example = "Cuộc thi tìm hiểu Điều lệ Đảng")]
    title: String,
    /// `draft` until a round is published, `scheduled` until the first round opens, `closed` after the last one.
    state: QuizState,
    /// When the first round opens.
    opens_at: DateTime<Utc>,
    /// When the last round closes.
    closes_at: DateTime<Utc>,
    /// The rounds in their order; members see those that are published.
    #[schema(max_items = 50)]
    rounds: Vec<ContestRound>,
    /// When its results were frozen and signed; null before.
    frozen_at: Option<DateTime<Utc>>,
}

fn round(row: QuizRow, now: DateTime<Utc>) -> ContestRound {
    ContestRound {
        round: row.round.unwrap_or_default(),
        quiz_id: row.id,
        state: QuizState::of(row.is_published(), row.opens_at, row.closes_at, now),
        title: row.title,
        opens_at: row.opens_at,
        closes_at: row.closes_at,
        questions: row.question_count,
    }
}

/// Contests with their rounds, in the order given.
async fn shown(
    conn: &mut Conn,
    rows: Vec<StoredContest>,
    drafts: bool,
    now: DateTime<Utc>,
) -> Result<Vec<Contest>, Problem> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let frozen = store::frozen(conn, &ids).await?;
    let mut rounds: HashMap<Uuid, Vec<QuizRow>> = HashMap::new();
    for row in store::rounds(conn, &ids).await? {
        rounds.entry(row.contest_id.unwrap_or_default()).or_default().push(row);
    }
    let contest = |row: StoredContest| {
        let rounds = rounds.remove(&row.id).unwrap_or_default();
        let published = rounds.iter().any(QuizRow::is_published);
        let seen = rounds.into_iter().filter(|round| drafts || round.is_published());
        Contest {
            id: row.id,
            unit_id: row.unit_id,
            title: row.title,
            state: QuizState::of(published, row.opens_at, row.closes_at, now),
            opens_at: row.opens_at,
            closes_at: row.closes_at,
            rounds: seen.map(|row| round(row, now)).collect(),
            frozen_at: frozen.get(&row.id).copied(),
        }
    };
    Ok(rows.into_iter().map(contest).collect())
}

async fn one(conn: &mut Conn, row: StoredContest, drafts: bool, now: DateTime<Utc>) -> Result<Contest, Problem> {
    shown(conn, vec![row], drafts, now).await?.pop().ok_or_else(Problem::not_found)
}

/// Make a contest
///
/// Each round is a draft quiz of the unit; all rounds go to the same units, and one begins when the one before it has ended. A
/// round is published like any quiz. It pays `contest_entered` at or above its pass mark, and no `quiz_passed`.
#[utoipa::path(tag = "Contests", params(("unit_id" = Uuid, Path, description = "The unit that will hold it.")),
    request_body = ContestIn,
    responses((status = 422, description = "A quiz cannot be a round; `errors` names each.")))]
#[post("/units/{unit_id}/contests")]
pub async fn create_contest(
    request: WriteRequest<ContestIn, OnUnit<ManageQuizzes>>,
) -> Result<Created<Contest>, Problem> {
    request
        .commit(async |conn, scope| {
            let quiz_ids = scope.body.rounds.iter().map(|round| round.quiz_id).collect();
            let new = NewContest { unit_id: scope.on.unit_id, title: scope.body.title.clone(), quiz_ids };
            let id = store::create(conn, &new, scope.caller.account_id, scope.now).await?;
            let event = audit::AuditEvent { unit_id: Some(new.unit_id), ..scope.audit("contest.made", "contest", id) };
            audit::record(conn, event, scope.now).await?;
            outbox::emit(conn, "contest.made", json!({"contest_id": id, "unit_id": new.unit_id}), scope.now).await?;
            let row = store::get(conn, id).await?;
            one(conn, row, true, scope.now).await
        })
        .await
}

/// List contests of a unit
///
/// What the unit holds, newest first. For those who manage its quizzes.
#[utoipa::path(tag = "Contests", params(("unit_id" = Uuid, Path, description = "The unit."), PageQuery))]
#[get("/units/{unit_id}/contests")]
pub async fn list_unit_contests(
    mut request: ReadRequest<OnUnit<ManageQuizzes>>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<Contest>>, Problem> {
    let Query(page) = page;
    let (unit_id, now) = (request.scope.on.unit_id, request.scope.now);
    let conn = &mut request.conn;
    let rows = store::of_unit(conn, unit_id, page.after()?, page.fetch()).await?;
    let contests = shown(conn, rows, true, now).await?;
    request.reply(&page.page(contests, |contest| contest.id, |contest| contest))
}

/// List contests
///
/// The contests that reach the calling member, and those in which the member took part, newest first.
#[utoipa::path(tag = "Contests", params(PageQuery), responses((status = 403, description = "The caller is no member.")))]
#[get("/contests")]
pub async fn list_contests(
    mut request: ReadRequest<Myself>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<Contest>>, Problem> {
    let Query(page) = page;
    let (scope, conn) = (&request.scope, &mut request.conn);
    let (me, home) = (scope.caller.account_id, &scope.caller.home);
    let rows = store::reaching(conn, me, home, page.after()?, page.fetch()).await?;
    let contests = shown(conn, rows, false, scope.now).await?;
    request.reply(&page.page(contests, |contest| contest.id, |contest| contest))
}

/// Get a contest
///
/// For members whom a round reaches, and for officers of its unit; those who manage it see rounds that are not published.
#[utoipa::path(tag = "Contests", params(("contest_id" = Uuid, Path, description = "The contest.")))]
#[get("/contests/{contest_id}")]
pub async fn get_contest(mut request: ReadRequest<VisibleContest>) -> Result<Reply<Contest>, Problem> {
    let (scope, conn) = (&request.scope, &mut request.conn);
    let contest = one(conn, scope.on.contest.clone(), scope.on.manager, scope.now).await?;
    request.reply(&contest)
}
