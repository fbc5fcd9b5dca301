//! Voided questions in the database, and the attempts that have to be graded again.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Int4, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::{quiz_attempts, quiz_pool, quiz_voids, quizzes};
use crate::kernel::http::problem::Problem;

/// The voided questions of a quiz.
pub async fn of_quiz(conn: &mut Conn, quiz_id: Uuid) -> Result<HashSet<Uuid>, Problem> {
    let ids: Vec<Uuid> =
        quiz_voids::table.filter(quiz_voids::quiz_id.eq(quiz_id)).select(quiz_voids::question_id).load(conn).await?;
    Ok(ids.into_iter().collect())
}

/// Whether the quiz may ask a question.
pub async fn is_in_pool(conn: &mut Conn, quiz_id: Uuid, question_id: Uuid) -> Result<bool, Problem> {
    let found = quiz_pool::table.find((quiz_id, question_id));
    Ok(diesel::select(diesel::dsl::exists(found)).get_result(conn).await?)
}

/// Whether the person took the quiz in earnest.
pub async fn has_taken(conn: &mut Conn, quiz_id: Uuid, account_id: Uuid) -> Result<bool, Problem> {
    let taken = quiz_attempts::table
        .filter(quiz_attempts::quiz_id.eq(quiz_id))
        .filter(quiz_attempts::member_id.eq(account_id))
        .filter(quiz_attempts::practice.is_null().or(quiz_attempts::practice.eq(false)));
    Ok(diesel::select(diesel::dsl::exists(taken)).get_result(conn).await?)
}

/// Voids a question. False when it was voided before.
pub async fn void(
    conn: &mut Conn,
    (quiz_id, question_id): (Uuid, Uuid),
    decision_id: Uuid,
    now: DateTime<Utc>,
) -> Result<bool, Problem> {
    let written = diesel::insert_into(quiz_voids::table)
        .values((
            quiz_voids::quiz_id.eq(quiz_id),
            quiz_voids::question_id.eq(question_id),
            quiz_voids::decision_id.eq(decision_id),
            quiz_voids::voided_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    if written > 0 {
        diesel::update(quizzes::table.find(quiz_id))
            .set((quizzes::voids.eq(quizzes::voids + 1), quizzes::regrading.eq(true)))
            .execute(conn)
            .await?;
    }
    Ok(written > 0)
}

#[derive(QueryableByName)]
pub struct QuizToRegrade {
    #[diesel(sql_type = SqlUuid)]
    pub quiz_id: Uuid,
    #[diesel(sql_type = Int4)]
    pub voids: i32,
    /// Whether some attempts are not graded yet.
    #[diesel(sql_type = Bool)]
    pub running: bool,
}

/// Quizzes of which attempts may have to be graded again.
pub async fn quizzes_to_regrade(conn: &mut Conn) -> Result<Vec<QuizToRegrade>, Problem> {
    Ok(diesel::sql_query(
        "SELECT z.id AS quiz_id, z.voids, EXISTS (SELECT 1 FROM quiz_attempts a WHERE a.quiz_id = z.id
             AND a.submitted_at IS NULL) AS running
         FROM quizzes z WHERE z.regrading ORDER BY z.id",
    )
    .load(conn)
    .await?)
}

#[derive(QueryableByName)]
struct AttemptToRegrade {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// Attempts that were graded under fewer voids, those of a member in their order.
pub async fn attempts_to_regrade(conn: &mut Conn, quiz: &QuizToRegrade, most: i64) -> Result<Vec<Uuid>, Problem> {
    let rows: Vec<AttemptToRegrade> = diesel::sql_query(
        "SELECT id FROM quiz_attempts WHERE quiz_id = $1 AND submitted_at IS NOT NULL AND voids < $2
         ORDER BY member_id, number LIMIT $3",
    )
    .bind::<SqlUuid, _>(quiz.quiz_id)
    .bind::<Int4, _>(quiz.voids)
    .bind::<BigInt, _>(most)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Notes that all attempts of a quiz are graded under its voids, unless another question was voided meanwhile.
pub async fn settle(conn: &mut Conn, quiz: &QuizToRegrade) -> Result<(), Problem> {
    diesel::update(quizzes::table.find(quiz.quiz_id).filter(quizzes::voids.eq(quiz.voids)))
        .set(quizzes::regrading.eq(false))
        .execute(conn)
        .await?;
    Ok(())
}
