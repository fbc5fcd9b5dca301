//! Who has seen questions with their key: such a person takes quizzes drawn from them as practice.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Bytea, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;
use crate::points;

use super::attempts::model::DrawnQuestion;

/// Records that an account has seen the keys of these questions; only the first time counts.
pub async fn record(
    conn: &mut Conn,
    account_id: Uuid,
    identities: &[Vec<u8>],
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    diesel::sql_query(
        "INSERT INTO question_exposures (account_id, identity, at)
         SELECT $1, i, $3 FROM (SELECT DISTINCT unnest($2::bytea[]) AS i ORDER BY 1) AS seen ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(account_id)
    .bind::<Array<Bytea>, _>(identities)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    let asking: Vec<AskingQuiz> = diesel::sql_query(
        "SELECT z.id AS quiz_id FROM quizzes z WHERE z.state = 'published' AND z.ended_at IS NULL AND NOT z.practice
             AND EXISTS (SELECT 1 FROM quiz_pool p WHERE p.quiz_id = z.id AND p.identity = ANY($1))",
    )
    .bind::<Array<Bytea>, _>(identities)
    .load(conn)
    .await?;
    if asking.is_empty() {
        return Ok(());
    }
    let quizzes: Vec<String> = asking.iter().map(|quiz| quiz.quiz_id.to_string()).collect();
    points::except_offers(conn, &[account_id], &quizzes, now).await
}

#[derive(QueryableByName)]
struct AskingQuiz {
    #[diesel(sql_type = SqlUuid)]
    quiz_id: Uuid,
}

#[derive(QueryableByName)]
struct ExposedAccount {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
}

/// Takes a quiz that is being published out of what is on offer to those who have seen the key of a question it may ask.
pub async fn except_from(conn: &mut Conn, quiz_id: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    let rows: Vec<ExposedAccount> = diesel::sql_query(
        "SELECT DISTINCT e.account_id FROM quiz_pool p JOIN question_exposures e ON e.identity = p.identity WHERE p.quiz_id = $1",
    )
    .bind::<SqlUuid, _>(quiz_id)
    .load(conn)
    .await?;
    let accounts: Vec<Uuid> = rows.into_iter().map(|row| row.account_id).collect();
    points::except_offers(conn, &accounts, &[quiz_id.to_string()], now).await
}

/// Whether the account has seen the key of one of the questions drawn.
pub async fn of_questions(conn: &mut Conn, questions: &[DrawnQuestion], account_id: Uuid) -> Result<bool, Problem> {
    let row: Exposed = diesel::sql_query(
        "SELECT EXISTS (SELECT 1 FROM questions q JOIN question_exposures e ON e.identity = q.identity
             WHERE q.id = ANY($1) AND e.account_id = $2) AS exposed",
    )
    .bind::<Array<SqlUuid>, _>(questions.iter().map(|question| question.question_id).collect::<Vec<_>>())
    .bind::<SqlUuid, _>(account_id)
    .get_result(conn)
    .await?;
    Ok(row.exposed)
}

#[derive(QueryableByName)]
struct Exposed {
    #[diesel(sql_type = Bool)]
    exposed: bool,
}

/// Whether the account has seen the key of a question that the quiz may ask.
pub async fn of_quiz(conn: &mut Conn, quiz_id: Uuid, account_id: Uuid) -> Result<bool, Problem> {
    let row: Exposed = diesel::sql_query(
        "SELECT EXISTS (SELECT 1 FROM quiz_pool p JOIN question_exposures e ON e.identity = p.identity
             WHERE p.quiz_id = $1 AND e.account_id = $2) AS exposed",
    )
    .bind::<SqlUuid, _>(quiz_id)
    .bind::<SqlUuid, _>(account_id)
    .get_result(conn)
    .await?;
    Ok(row.exposed)
}
