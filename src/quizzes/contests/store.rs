//! Contests and their rounds in the database.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::{contest_closings, contests, quizzes};
use crate::kernel::http::problem::{Code, Fault, Problem, text};
use crate::kernel::ids::new_id;
use crate::quizzes::publishing::model::QuizTarget;
use crate::quizzes::publishing::store::{self as quiz_store, QuizRow};

/// A contest as it stands.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName)]
#[diesel(table_name = contests)]
pub struct StoredContest {
    pub id: Uuid,
    pub unit_id: Uuid,
    pub title: String,
    pub opens_at: DateTime<Utc>,
    pub closes_at: DateTime<Utc>,
}

/// A contest to be made of drafts.
#[derive(Debug, Clone)]
pub struct NewContest {
    pub unit_id: Uuid,
    pub title: String,
    /// The rounds in their order.
    pub quiz_ids: Vec<Uuid>,
}

type RoundFault = (&'static str, &'static str, &'static str);

/// What keeps a quiz from being the next round, if anything does.
fn wrong(new: &NewContest, quiz: Option<&QuizRow>, before: Option<&QuizRow>) -> Option<RoundFault> {
    let Some(quiz) = quiz.filter(|quiz| quiz.unit_id == new.unit_id) else {
        return Some(("unknown_quiz", "Đơn vị không có bài thi này.", "The unit owns no such quiz."));
    };
    if quiz.is_published() || quiz.contest_id.is_some() {
        let vi = "Bài thi đã công bố hoặc đã thuộc một cuộc thi.";
        return Some(("not_a_draft", vi, "The quiz is published or belongs to a contest already."));
    }
    if quiz.practice {
        return Some(("practice", "Bài luyện tập không thể là một vòng thi.", "Practice cannot be a round."));
    }
    if before.is_some_and(|before| quiz.opens_at < before.closes_at) {
        let vi = "Vòng thi phải mở sau khi vòng trước kết thúc.";
        return Some(("rounds_overlap", vi, "A round begins when the one before it has ended."));
    }
    None
}

/// Makes a contest of drafts of one unit with the same audience. Returns its id.
///
/// # Errors
/// 422 with each quiz that cannot be a round.
pub async fn create(conn: &mut Conn, new: &NewContest, by: Uuid, now: DateTime<Utc>) -> Result<Uuid, Problem> {
    let rows: Vec<QuizRow> = quizzes::table
        .filter(quizzes::id.eq_any(&new.quiz_ids))
        .order(quizzes::id)
        .select(QuizRow::as_select())
        .for_update()
        .load(conn)
        .await?;
    let known: HashMap<Uuid, &QuizRow> = rows.iter().map(|row| (row.id, row)).collect();
    let (mut faults, mut before): (Vec<Fault>, Option<&QuizRow>) = (Vec::new(), None);
    let mut audience: Option<Vec<QuizTarget>> = None;
    for (index, id) in new.quiz_ids.iter().enumerate() {
        let quiz = known.get(id).copied();
        let mut found = wrong(new, quiz, before);
        if found.is_none() {
            let targets = quiz_store::targets(conn, *id).await?;
            if *audience.get_or_insert_with(|| targets.clone()) != targets {
                let vi = "Mọi vòng thi phải giao cho cùng các tổ chức.";
                found = Some(("other_audience", vi, "All rounds go to the same units."));
            }
        }
        if let Some((code, vi, en)) = found {
            faults.push(Fault { pointer: format!("/rounds/{index}/quiz_id"), code, detail: text(vi, en) });
        }
        before = quiz.or(before);
    }
    let ends = known.values().map(|quiz| quiz.opens_at).min().zip(known.values().map(|quiz| quiz.closes_at).max());
    let Some((opens_at, closes_at)) = ends.filter(|_| faults.is_empty()) else {
        return Err(Problem::faults(Code::RuleNotMet, faults));
    };
    let id = new_id(now);
    diesel::insert_into(contests::table)
        .values((
            contests::id.eq(id),
            contests::unit_id.eq(new.unit_id),
            contests::title.eq(&new.title),
            contests::opens_at.eq(opens_at),
            contests::closes_at.eq(closes_at),
            contests::created_by.eq(by),
            contests::created_at.eq(now),
        ))
        .execute(conn)
        .await?;
    for (round, quiz_id) in (1_i16..).zip(&new.quiz_ids) {
        diesel::update(quizzes::table.find(quiz_id))
            .set((quizzes::contest_id.eq(id), quizzes::round.eq(round)))
            .execute(conn)
            .await?;
    }
    Ok(id)
}

/// One contest. 404 when there is none.
pub async fn get(conn: &mut Conn, id: Uuid) -> Result<StoredContest, Problem> {
    Ok(contests::table.find(id).select(StoredContest::as_select()).first(conn).await?)
}

/// The rounds of contests, in their order.
pub async fn rounds(conn: &mut Conn, contest_ids: &[Uuid]) -> Result<Vec<QuizRow>, Problem> {
    Ok(quizzes::table
        .filter(quizzes::contest_id.eq_any(contest_ids))
        .order((quizzes::contest_id, quizzes::round))
        .select(QuizRow::as_select())
        .load(conn)
        .await?)
}

/// When the results of contests were frozen.
pub async fn frozen(conn: &mut Conn, contest_ids: &[Uuid]) -> Result<HashMap<Uuid, DateTime<Utc>>, Problem> {
    let rows: Vec<(Uuid, DateTime<Utc>)> = contest_closings::table
        .filter(contest_closings::contest_id.eq_any(contest_ids))
        .select((contest_closings::contest_id, contest_closings::frozen_at))
        .load(conn)
        .await?;
    Ok(rows.into_iter().collect())
}

/// The contests of a unit, newest first.
pub async fn of_unit(
    conn: &mut Conn,
    unit_id: Uuid,
    before: Option<Uuid>,
    fetch: i64,
) -> Result<Vec<StoredContest>, Problem> {
    let mut query = contests::table
        .filter(contests::unit_id.eq(unit_id))
        .order(contests::id.desc())
        .limit(fetch)
        .select(StoredContest::as_select())
        .into_boxed();
    if let Some(id) = before {
        query = query.filter(contests::id.lt(id));
    }
    Ok(query.load(conn).await?)
}

/// Contests of which a member `$1` whose units are `$2` knows: a published round reaches them, or they took one.
const REACHED: &str = "(EXISTS (SELECT 1 FROM quizzes z JOIN quiz_targets t ON t.quiz_id = z.id
        WHERE z.contest_id = c.id AND z.state = 'published' AND t.target_id = ANY($2))
    OR EXISTS (SELECT 1 FROM contest_scores s WHERE s.contest_id = c.id AND s.round = 0 AND s.member_id = $1))";

/// Contests that reach a member or that the member took part in, newest first.
pub async fn reaching(
    conn: &mut Conn,
    member_id: Uuid,
    home: &[Uuid],
    before: Option<Uuid>,
    fetch: i64,
) -> Result<Vec<StoredContest>, Problem> {
    let query = format!(
        "SELECT c.id, c.unit_id, c.title, c.opens_at, c.closes_at FROM contests c
         WHERE {REACHED} AND ($3 IS NULL OR c.id < $3) ORDER BY c.id DESC LIMIT $4"
    );
    Ok(diesel::sql_query(query)
        .bind::<SqlUuid, _>(member_id)
        .bind::<diesel::sql_types::Array<SqlUuid>, _>(home)
        .bind::<Nullable<SqlUuid>, _>(before)
        .bind::<BigInt, _>(fetch)
        .load(conn)
        .await?)
}

#[derive(QueryableByName)]
struct ContestReached {
    #[diesel(sql_type = Bool)]
    reached: bool,
}

/// Whether a member knows of a contest.
pub async fn reaches(conn: &mut Conn, id: Uuid, member_id: Uuid, home: &[Uuid]) -> Result<bool, Problem> {
    let query = format!("SELECT {REACHED} AS reached FROM contests c WHERE c.id = $3");
    let row: ContestReached = diesel::sql_query(query)
        .bind::<SqlUuid, _>(member_id)
        .bind::<diesel::sql_types::Array<SqlUuid>, _>(home)
        .bind::<SqlUuid, _>(id)
        .get_result(conn)
        .await?;
    Ok(row.reached)
}
