//! Quizzes as members and as officers see them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::extract::Scope;
use crate::kernel::http::problem::Problem;
use crate::points;

use super::model::{QuizState, QuizTarget, Reveal, Source};
use super::pool;
use super::store::{self, OwnState, QuizRow};

/// A draw, and how many questions it has to choose from now.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuizDrawOut {
    /// The bank; null for a fixed list.
    bank_id: Option<Uuid>,
    /// How many questions are asked.
    #[schema(minimum = 1, maximum = 200, example = 5)]
    count: i64,
    /// Only questions on this topic.
    #[schema(max_length = 200)]
    topic: Option<String>,
    /// Only questions of this difficulty.
    #[schema(minimum = 1, maximum = 5)]
    difficulty: Option<i16>,
    /// Questions to choose from.
    #[schema(minimum = 0, maximum = 1_000_000, example = 12)]
    available: usize,
}

/// What the month offers the cells that a quiz reaches.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuizMonthOffer {
    /// Cells reached.
    #[schema(minimum = 0, maximum = 1_000_000, example = 3)]
    cells: usize,
    /// Cells that the month offers less than the threshold.
    #[schema(minimum = 0, maximum = 1_000_000, example = 0)]
    cells_short: usize,
}

/// A quiz.
#[derive(Debug, Serialize, ToSchema)]
pub struct Quiz {
    /// Identifier.
    pub id: Uuid,
    /// The unit that owns it.
    unit_id: Uuid,
    /// What it is called.
    #[schema(max_length = 200, example = "Tìm hiểu Điều lệ Đảng, tuần 1")]
    title: String,
    /// Where it stands.
    state: QuizState,
    /// Questions of an attempt.
    #[schema(minimum = 1, maximum = 200, example = 5)]
    questions: i32,
    /// How long an attempt lasts.
    #[schema(minimum = 1, maximum = 480, example = 30)]
    minutes: i32,
    /// The share that passes.
    #[schema(minimum = 1, maximum = 100, example = 50)]
    pass_percent: i32,
    /// Attempts of a member.
    #[schema(minimum = 1, maximum = 5, example = 2)]
    attempts: i32,
    /// Attempts that the caller has left; null for officers whom it does not reach.
    #[schema(minimum = 0, maximum = 5, example = 2)]
    attempts_left: Option<i64>,
    /// How long a member waits between two attempts.
    #[schema(minimum = 0, maximum = 10_080, example = 60)]
    cooldown_minutes: i32,
    /// Whether it earns nothing.
    practice: bool,
    /// The contest of which it is a round; null for a quiz of its own.
    contest_id: Option<Uuid>,
    /// Which round; null for a quiz of its own.
    #[schema(minimum = 1, maximum = 50)]
    round: Option<i16>,
    /// When answers are shown.
    reveal: Reveal,
    /// When the first attempt may start.
    opens_at: DateTime<Utc>,
    /// When every attempt ends.
    closes_at: DateTime<Utc>,
    /// Whether the caller has passed.
    passed: bool,
    /// The caller's attempt that is running.
    open_attempt_id: Option<Uuid>,
    /// Where the questions come from; for those who manage the quiz.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 20, nullable = false)]
    draws: Option<Vec<QuizDrawOut>>,
    /// For whom it is; for those who manage the quiz.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 500, nullable = false)]
    targets: Option<Vec<QuizTarget>>,
    /// What the month offers; for those who manage the quiz.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    month_offer: Option<QuizMonthOffer>,
}

/// A quiz as its members see it.
pub fn quiz(row: QuizRow, own: Option<OwnState>, reached: bool, now: DateTime<Utc>) -> Quiz {
    let own = own.unwrap_or_default();
    Quiz {
        state: QuizState::of(row.is_published(), row.opens_at, row.closes_at, now),
        reveal: row.reveal(),
        id: row.id,
        unit_id: row.unit_id,
        title: row.title,
        questions: row.question_count,
        minutes: row.minutes,
        pass_percent: row.pass_percent,
        attempts: row.attempts,
        attempts_left: reached.then(|| (i64::from(row.attempts) - own.used).max(0)),
        cooldown_minutes: row.cooldown_minutes,
        practice: row.practice,
        contest_id: row.contest_id,
        round: row.round,
        opens_at: row.opens_at,
        closes_at: row.closes_at,
        passed: own.passed,
        open_attempt_id: own.open_attempt_id,
        draws: None,
        targets: None,
        month_offer: None,
    }
}

/// The quiz with what only those who manage it see.
pub async fn managed<B, T>(conn: &mut Conn, id: Uuid, scope: &Scope<B, T>, reached: bool) -> Result<Quiz, Problem> {
    let row = store::get(conn, id).await?;
    let source = row.source()?;
    let found = pool::candidates(conn, &source).await?;
    let draws = match &source {
        Source::Draws(draws) => draws.iter().zip(&found).map(|(draw, found)| QuizDrawOut {
            bank_id: Some(draw.bank_id),
            count: draw.count,
            topic: draw.topic.clone(),
            difficulty: draw.difficulty,
            available: found.len(),
        }),
        Source::List(_) => {
            let available = found.iter().map(Vec::len).sum();
            let list = QuizDrawOut { bank_id: None, count: source.count(), topic: None, difficulty: None, available };
            return with_audience(conn, row, vec![list], scope, reached).await;
        }
    };
    let draws = draws.collect();
    with_audience(conn, row, draws, scope, reached).await
}

async fn with_audience<B, T>(
    conn: &mut Conn,
    row: QuizRow,
    draws: Vec<QuizDrawOut>,
    scope: &Scope<B, T>,
    reached: bool,
) -> Result<Quiz, Problem> {
    let targets = store::targets(conn, row.id).await?;
    let units: Vec<Uuid> = targets.iter().filter_map(|target| target.unit_id).collect();
    let offer = points::month_offer(conn, &units, scope.now).await?;
    let own = store::own_states(conn, scope.caller.account_id, &[row.id], scope.now).await?.pop();
    let month_offer = QuizMonthOffer { cells: offer.cells, cells_short: offer.cells_short };
    Ok(Quiz {
        draws: Some(draws),
        targets: Some(targets),
        month_offer: Some(month_offer),
        ..quiz(row, own, reached, scope.now)
    })
}
