//! Who stands where in a contest: the best attempt of each round and their sum, kept up to date by grading.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;

/// The CTE `computed`: the standings that follow from the attempts. The best attempt of a round counts, by score and then by time;
/// over all the rounds are summed, and the pass marks too. The cell is that of the submission.
fn computed(filter: &str) -> String {
    format!(
        "best AS (
            SELECT DISTINCT ON (a.quiz_id, a.member_id) z.contest_id, z.round, a.member_id, a.unit_id, a.submitted_at,
                a.score, a.seconds, a.score * 100 AS reached, z.pass_percent * a.max_score AS mark
            FROM quiz_attempts a JOIN quizzes z ON z.id = a.quiz_id
            WHERE {filter} AND a.submitted_at IS NOT NULL AND NOT a.practice AND a.unit_id IS NOT NULL
            ORDER BY a.quiz_id, a.member_id, a.score DESC, a.seconds, a.number),
        summed AS (
            SELECT contest_id, round, member_id, unit_id, submitted_at, score, seconds, reached >= mark AS passed FROM best
            UNION ALL
            SELECT contest_id, 0, member_id, (array_agg(unit_id ORDER BY submitted_at DESC))[1], max(submitted_at),
                sum(score)::integer, sum(seconds)::integer, sum(reached) >= sum(mark)
            FROM best GROUP BY contest_id, member_id),
        computed AS (
            SELECT contest_id, round, member_id, unit_id, (submitted_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS day,
                score, seconds, passed FROM summed)"
    )
}

/// Writes what differs from the CTE `computed`.
const WRITE: &str =
    "INSERT INTO contest_scores AS s (contest_id, round, member_id, unit_id, day, score, seconds, passed)
    SELECT contest_id, round, member_id, unit_id, day, score, seconds, passed FROM computed
    ORDER BY contest_id, member_id, round
    ON CONFLICT (contest_id, round, member_id) DO UPDATE SET unit_id = excluded.unit_id, day = excluded.day,
        score = excluded.score, seconds = excluded.seconds, passed = excluded.passed
    WHERE (s.unit_id, s.day, s.score, s.seconds, s.passed)
        IS DISTINCT FROM (excluded.unit_id, excluded.day, excluded.score, excluded.seconds, excluded.passed)";

/// Takes in the attempts of a member, in the transaction that graded one of them.
pub async fn follow(conn: &mut Conn, contest_id: Uuid, member_id: Uuid) -> Result<(), Problem> {
    // Rounds of one member may be graded at the same time: the row of the sum is locked before the sum is taken.
    let lock = "INSERT INTO contest_scores AS s (contest_id, round, member_id, unit_id, day, score, seconds, passed)
        SELECT z.contest_id, 0, a.member_id, a.unit_id, DATE '2000-01-01', 0, 0, false
        FROM quiz_attempts a JOIN quizzes z ON z.id = a.quiz_id
        WHERE z.contest_id = $1 AND a.member_id = $2 AND a.submitted_at IS NOT NULL AND NOT a.practice
            AND a.unit_id IS NOT NULL LIMIT 1
        ON CONFLICT (contest_id, round, member_id) DO UPDATE SET day = s.day";
    let write = format!("WITH {} {WRITE}", computed("z.contest_id = $1 AND a.member_id = $2"));
    for statement in [lock, write.as_str()] {
        let query = diesel::sql_query(statement).bind::<SqlUuid, _>(contest_id);
        query.bind::<SqlUuid, _>(member_id).execute(conn).await?;
    }
    Ok(())
}

#[derive(QueryableByName)]
struct DifferingScores {
    #[diesel(sql_type = BigInt)]
    differing: i64,
}

/// Counts standings that differ from the attempts.
pub async fn differences(conn: &mut Conn) -> Result<i64, Problem> {
    let query = format!(
        "WITH {} SELECT count(*) AS differing FROM contest_scores s FULL JOIN computed c USING (contest_id, round, member_id)
         WHERE (s.unit_id, s.day, s.score, s.seconds, s.passed) IS DISTINCT FROM (c.unit_id, c.day, c.score, c.seconds, c.passed)",
        computed("z.contest_id IS NOT NULL")
    );
    Ok(diesel::sql_query(query).get_result::<DifferingScores>(conn).await?.differing)
}

/// Computes all standings anew from the attempts.
pub async fn rebuild(conn: &mut Conn) -> Result<(), Problem> {
    let filter = "z.contest_id IS NOT NULL";
    let stale = format!(
        "WITH {} DELETE FROM contest_scores s WHERE NOT EXISTS (SELECT 1 FROM computed c
             WHERE (c.contest_id, c.round, c.member_id) = (s.contest_id, s.round, s.member_id))",
        computed(filter)
    );
    for statement in [stale, format!("WITH {} {WRITE}", computed(filter))] {
        diesel::sql_query(statement).execute(conn).await?;
    }
    Ok(())
}
