//! Which questions a quiz may ask: candidates of each draw, frozen at publication.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bytea, Int4, Nullable, SmallInt, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::quiz_pool;
use crate::kernel::http::problem::{Code, Fault, Problem, text};
use crate::kernel::security::access::Permission;
use crate::kernel::security::auth::Principal;
use crate::organisation::units;

use super::model::{QuizDraw, Reveal, Source};
use super::store::{QuizRow, shares_questions};

/// A question that may be asked.
#[derive(Debug, Clone, QueryableByName)]
pub struct Candidate {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Int4)]
    pub version: i32,
    #[diesel(sql_type = Bytea)]
    pub identity: Vec<u8>,
    #[diesel(sql_type = SqlUuid)]
    pub unit_id: Uuid,
}

/// Reviewed questions whose document still holds.
const DRAWABLE: &str = "SELECT q.id, q.version, q.identity, b.unit_id FROM questions q
    JOIN question_banks b ON b.id = q.bank_id
    JOIN question_versions v ON v.question_id = q.id AND v.version = q.version
    LEFT JOIN documents d ON d.id = b.document_id
    WHERE q.state = 'reviewed' AND coalesce(d.state NOT IN ('superseded', 'recalled'), true)";

async fn of_draw(conn: &mut Conn, draw: &QuizDraw) -> Result<Vec<Candidate>, Problem> {
    let query = format!(
        "{DRAWABLE} AND q.bank_id = $1 AND ($2 IS NULL OR v.topic = $2) AND ($3 IS NULL OR v.difficulty = $3) ORDER BY q.id"
    );
    let query = diesel::sql_query(query).bind::<SqlUuid, _>(draw.bank_id).bind::<Nullable<Text>, _>(&draw.topic);
    Ok(query.bind::<Nullable<SmallInt>, _>(draw.difficulty).load(conn).await?)
}

async fn of_list(conn: &mut Conn, questions: &[Uuid]) -> Result<Vec<Candidate>, Problem> {
    let query = diesel::sql_query(format!("{DRAWABLE} AND q.id = ANY($1) ORDER BY q.id"));
    Ok(query.bind::<Array<SqlUuid>, _>(questions).load(conn).await?)
}

/// The candidates of each draw; a fixed list is one draw.
pub async fn candidates(conn: &mut Conn, source: &Source) -> Result<Vec<Vec<Candidate>>, Problem> {
    match source {
        Source::List(questions) => Ok(vec![of_list(conn, questions).await?]),
        Source::Draws(draws) => {
            let mut all = Vec::with_capacity(draws.len());
            for draw in draws {
                all.push(of_draw(conn, draw).await?);
            }
            Ok(all)
        }
    }
}

/// How many questions each draw asks.
pub fn counts(source: &Source) -> Vec<i64> {
    match source {
        Source::Draws(draws) => draws.iter().map(|draw| draw.count).collect(),
        Source::List(_) => vec![source.count()],
    }
}

/// Insists that the caller may use the banks: an officer draws only from banks that they may open.
pub async fn require_banks(
    conn: &mut Conn,
    source: &Source,
    caller: &Principal,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let banks: Vec<(usize, Uuid)> = match source {
        Source::Draws(draws) => draws.iter().map(|draw| draw.bank_id).enumerate().collect(),
        Source::List(_) => Vec::new(),
    };
    let mut faults = Vec::new();
    for (index, bank_id) in banks {
        let unit = crate::quizzes::banks::store::unit_of(conn, bank_id).await;
        let known = match unit {
            Ok(unit_id) => may_use(conn, unit_id, caller, now).await?,
            Err(problem) if problem.code == Code::NotFound => false,
            Err(problem) => return Err(problem),
        };
        if !known {
            let detail = text("Không có ngân hàng câu hỏi này.", "There is no such question bank.");
            faults.push(Fault { pointer: format!("/draws/{index}/bank_id"), code: "unknown_bank", detail });
        }
    }
    if let Source::List(questions) = source {
        let found = of_list(conn, questions).await?;
        let mut units: Vec<Uuid> = found.iter().map(|candidate| candidate.unit_id).collect();
        units.sort_unstable();
        units.dedup();
        let mut known = found.len() == questions.len();
        for unit_id in units {
            known &= may_use(conn, unit_id, caller, now).await?;
        }
        if !known {
            let detail = text("Có câu hỏi không dùng được.", "Some of the questions cannot be used.");
            faults.push(Fault { pointer: "/question_ids".to_owned(), code: "unknown_question", detail });
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Problem::faults(Code::RuleNotMet, faults)) }
}

async fn may_use(conn: &mut Conn, unit_id: Uuid, caller: &Principal, now: DateTime<Utc>) -> Result<bool, Problem> {
    let path = units::last_path(conn, unit_id, day_of(now)).await?;
    Ok(caller.may(&path, Permission::ManageQuizzes))
}

/// Freezes the pool of a quiz: every attempt is drawn from it, whatever becomes of the banks.
///
/// # Errors
/// 422 when a draw has too few questions, when two draws share some, or when a key would be shown elsewhere.
pub async fn freeze(conn: &mut Conn, quiz: &QuizRow, now: DateTime<Utc>) -> Result<(), Problem> {
    let source = quiz.source()?;
    let candidates = candidates(conn, &source).await?;
    let (mut faults, mut seen) = (Vec::new(), HashSet::new());
    for (index, (found, count)) in candidates.iter().zip(counts(&source)).enumerate() {
        let pointer = format!("/draws/{index}");
        if i64::try_from(found.len()).unwrap_or(i64::MAX) < count {
            let vi = format!("Chỉ có {} câu hỏi để chọn, cần {count}.", found.len());
            let detail = text(vi, format!("There are {} questions to choose from, {count} are needed.", found.len()));
            faults.push(Fault { pointer: pointer.clone(), code: "too_few_questions", detail });
        }
        if !found.iter().all(|candidate| seen.insert(candidate.identity.clone())) {
            let detail = text("Hai lượt rút dùng chung câu hỏi.", "Two draws share questions.");
            faults.push(Fault { pointer, code: "draws_overlap", detail });
        }
    }
    if !faults.is_empty() {
        return Err(Problem::faults(Code::RuleNotMet, faults));
    }
    let hex = |identity: &Vec<u8>| identity.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let identities = json!(seen.iter().map(hex).collect::<Vec<_>>());
    require_secret(conn, quiz, &identities, now).await?;
    let rows: Vec<_> = (0_i16..)
        .zip(&candidates)
        .flat_map(|(draw, found)| found.iter().map(move |candidate| (draw, candidate)))
        .map(|(draw, candidate)| {
            (
                quiz_pool::quiz_id.eq(quiz.id),
                quiz_pool::draw.eq(draw),
                quiz_pool::question_id.eq(candidate.id),
                quiz_pool::version.eq(candidate.version),
                quiz_pool::identity.eq(&candidate.identity),
            )
        })
        .collect();
    for chunk in rows.chunks(5_000) {
        diesel::insert_into(quiz_pool::table).values(chunk.to_vec()).execute(conn).await?;
    }
    Ok(())
}

/// Practice that shows its key at once must not share questions with a quiz that pays and is still to be taken.
async fn require_secret(
    conn: &mut Conn,
    quiz: &QuizRow,
    identities: &serde_json::Value,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let clash = match (quiz.practice, quiz.reveal()) {
        (true, Reveal::AtOnce) => shares_questions(conn, identities, false, now).await?,
        (true, Reveal::AfterWindow) => false,
        (false, _) => shares_questions(conn, identities, true, now).await?,
    };
    if !clash {
        return Ok(());
    }
    Err(Problem::with(
        Code::RuleNotMet,
        "Có câu hỏi vừa nằm trong bài luyện tập hiện đáp án ngay, vừa nằm trong bài thi được tính điểm chưa kết thúc.",
        "Some questions would be both in practice that shows its key at once and in a quiz that pays and has not ended.",
    ))
}
