//! `sotay verify`: what attempts say they earned against the ledger.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;

use super::contests::scores;

#[derive(QueryableByName)]
struct Differing {
    #[diesel(sql_type = BigInt)]
    differing: i64,
}

/// Counts attempts whose points differ from the ledger, entries for quizzes and questions of documents without an attempt that was credited, and standings of
/// contests that differ from the attempts.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn verify(conn: &mut Conn) -> Result<i64, Problem> {
    let row: Differing = diesel::sql_query(
        "WITH paid AS (SELECT member_id, split_part(object_id, ':', 1) AS object_id, sum(points) AS points
             FROM point_entries WHERE kind = 'award' AND object_kind = 'quiz' GROUP BY 1, 2),
         credited AS (SELECT member_id, quiz_id::text AS object_id, points FROM quiz_attempts WHERE credited AND quiz_id IS NOT NULL),
         unproved AS (SELECT 1 FROM point_entries e WHERE e.kind = 'award' AND e.rule_code = 'comprehension_passed'
             AND NOT EXISTS (SELECT 1 FROM quiz_attempts a WHERE a.credited AND a.member_id = e.member_id
                 AND a.document_id::text = e.object_id))
         SELECT (SELECT count(*) FROM unproved) + count(*) AS differing FROM paid FULL JOIN credited USING (member_id, object_id)
         WHERE coalesce(paid.points, 0) <> coalesce(credited.points, 0)",
    )
    .get_result(conn)
    .await?;
    Ok(row.differing + scores::differences(conn).await?)
}

/// Computes the standings of contests anew. The ledger and the attempts stay as they are.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn repair(conn: &mut Conn) -> Result<(), Problem> {
    scores::rebuild(conn).await
}
