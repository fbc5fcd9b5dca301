//! Who has seen questions with their key: such a person takes quizzes drawn from them as practice.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Bytea, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;

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
    Ok(())
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
