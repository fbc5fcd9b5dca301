//! What changed for a member since a transaction: for phones that synchronise.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Uuid as SqlUuid};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::{quiz_targets, quizzes};
use crate::kernel::db::statement::Prepared;
use crate::kernel::http::problem::Problem;

use super::publishing::output::{Quiz, quiz};
use super::publishing::store::{OwnState, PUBLISHED, QuizRow, own_states};

/// A quiz that changed, for its audience or for the member alone.
#[derive(Debug, Clone, Copy, QueryableByName)]
pub struct ChangedQuiz {
    /// The transaction of the change.
    #[diesel(sql_type = BigInt)]
    pub xid: i64,
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
}

/// The units of a member's home, and the member: what quizzes are given to.
fn audience((member_id, home): (Uuid, &[Uuid])) -> Vec<Uuid> {
    home.iter().copied().chain([member_id]).collect()
}

/// The quizzes that changed in this transaction or later, in the order of their last change: as many rows are looked at as there
/// are changes. Without a beginning, those that are out for the member now. Drafts concern no member.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn changed(
    conn: &mut Conn,
    (member_id, home): (Uuid, &[Uuid]),
    (since, after): (Option<i64>, Option<(i64, Uuid)>),
    fetch: i64,
) -> Result<Vec<ChangedQuiz>, Problem> {
    let (xid, id) = after.unzip();
    let query = sql_query(
        "SELECT max(xid) AS xid, id FROM (
             (SELECT t.xid, t.quiz_id AS id FROM quiz_targets t JOIN quizzes z ON z.id = t.quiz_id
              WHERE t.target_id = ANY($2) AND t.xid >= coalesce($4, $3, 0)
              AND z.state <> 'draft' AND NOT ($3 IS NULL AND z.state <> 'published'))
             UNION ALL
             (SELECT a.xid, a.quiz_id FROM quiz_attempts a
              WHERE a.member_id = $1 AND a.quiz_id IS NOT NULL AND $3 IS NOT NULL AND a.xid >= coalesce($4, $3))) c
         GROUP BY id HAVING $4 IS NULL OR (max(xid), id) > ($4, $5) ORDER BY max(xid), id LIMIT $6",
    )
    .bind::<SqlUuid, _>(member_id)
    .bind::<Array<SqlUuid>, _>(audience((member_id, home)))
    .bind::<Nullable<BigInt>, _>(since)
    .bind::<Nullable<BigInt>, _>(xid)
    .bind::<Nullable<SqlUuid>, _>(id)
    .bind::<BigInt, _>(fetch);
    Ok(Prepared(query).load(conn).await?)
}

/// Those of these quizzes that are out for the member, as lists show them.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn shown(
    conn: &mut Conn,
    (member_id, home): (Uuid, &[Uuid]),
    ids: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Vec<Quiz>, Problem> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let reached = quiz_targets::table
        .filter(quiz_targets::target_id.eq_any(audience((member_id, home))))
        .filter(quiz_targets::quiz_id.eq_any(ids))
        .select(quiz_targets::quiz_id);
    let rows: Vec<QuizRow> = quizzes::table
        .filter(quizzes::state.eq(PUBLISHED))
        .filter(quizzes::id.eq_any(reached))
        .order((quizzes::closes_at.desc(), quizzes::id.desc()))
        .select(QuizRow::as_select())
        .load(conn)
        .await?;
    let own = own_states(conn, member_id, ids, now).await?;
    let mut own: HashMap<Uuid, OwnState> = own.into_iter().map(|state| (state.quiz_id, state)).collect();
    let show = |row: QuizRow| {
        let state = own.remove(&row.id);
        quiz(row, state, true, now)
    };
    Ok(rows.into_iter().map(show).collect())
}
