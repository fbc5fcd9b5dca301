//! Queries on results: the members whom a quiz reaches in a unit, and what they have done.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Date, Double, Int4, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;
use crate::organisation::units;

/// Members of a unit and below whom the quiz reaches today, each with the best of their attempts. Practice of members who had seen
/// the key is no result of a quiz that pays.
const REACHED: &str = "WITH audience AS (
        SELECT DISTINCT ON (m.member_id) m.member_id, m.unit_id FROM memberships m
        JOIN unit_tree t ON t.descendant_id = m.unit_id AND t.ancestor_id = $2
            AND t.valid_from <= $3 AND (t.valid_to IS NULL OR t.valid_to > $3)
        WHERE m.valid_from <= $3 AND (m.valid_to IS NULL OR m.valid_to > $3)
        AND (EXISTS (SELECT 1 FROM quiz_targets q JOIN unit_tree u ON u.ancestor_id = q.unit_id AND u.descendant_id = m.unit_id
                AND u.valid_from <= $3 AND (u.valid_to IS NULL OR u.valid_to > $3) WHERE q.quiz_id = $1)
            OR EXISTS (SELECT 1 FROM quiz_targets q WHERE q.quiz_id = $1 AND q.member_id = m.member_id))),
    taken AS (
        SELECT a.member_id, count(*) AS attempts, max(a.percent) AS percent, bool_or(a.passed) AS passed,
            min(a.submitted_at) FILTER (WHERE a.passed) AS passed_at, sum(a.points)::integer AS points,
            bool_or(a.assisted) AS assisted
        FROM quiz_attempts a JOIN quizzes z ON z.id = a.quiz_id
        WHERE a.quiz_id = $1 AND a.submitted_at IS NOT NULL AND (z.practice OR NOT a.practice) GROUP BY a.member_id)";

/// Figures of a unit.
#[derive(Debug, Clone, QueryableByName)]
pub struct Figures {
    #[diesel(sql_type = BigInt)]
    pub members: i64,
    #[diesel(sql_type = BigInt)]
    pub taken: i64,
    #[diesel(sql_type = BigInt)]
    pub passed: i64,
    #[diesel(sql_type = Nullable<Double>)]
    pub average_percent: Option<f64>,
}

/// The figures of a unit with everything below it.
pub async fn figures(conn: &mut Conn, quiz_id: Uuid, unit_id: Uuid, today: NaiveDate) -> Result<Figures, Problem> {
    let query = format!(
        "{REACHED} SELECT count(*) AS members, count(t.member_id) AS taken, count(*) FILTER (WHERE t.passed) AS passed,
             avg(t.percent)::float8 AS average_percent FROM audience a LEFT JOIN taken t USING (member_id)"
    );
    let query = diesel::sql_query(query).bind::<SqlUuid, _>(quiz_id).bind::<SqlUuid, _>(unit_id);
    Ok(query.bind::<Date, _>(today).get_result(conn).await?)
}

/// A member whom the quiz reaches.
#[derive(Debug, Clone, QueryableByName)]
pub struct MemberResult {
    #[diesel(sql_type = SqlUuid)]
    pub member_id: Uuid,
    #[diesel(sql_type = Text)]
    pub full_name: String,
    #[diesel(sql_type = SqlUuid)]
    pub unit_id: Uuid,
    #[diesel(sql_type = Text)]
    pub unit_name: String,
    #[diesel(sql_type = BigInt)]
    pub attempts: i64,
    #[diesel(sql_type = Nullable<Int4>)]
    pub percent: Option<i32>,
    #[diesel(sql_type = Bool)]
    pub passed: bool,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub passed_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Int4)]
    pub points: i32,
    #[diesel(sql_type = Bool)]
    pub assisted: bool,
}

/// The members one by one, in the order of their ids.
pub async fn members(
    conn: &mut Conn,
    (quiz_id, unit_id, today): (Uuid, Uuid, NaiveDate),
    after: Option<Uuid>,
    fetch: i64,
) -> Result<Vec<MemberResult>, Problem> {
    let query = format!(
        "{REACHED} SELECT a.member_id, c.full_name, a.unit_id, u.name AS unit_name, coalesce(t.attempts, 0) AS attempts, t.percent,
             coalesce(t.passed, false) AS passed, t.passed_at, coalesce(t.points, 0) AS points,
             coalesce(t.assisted, false) AS assisted
         FROM audience a JOIN members c ON c.id = a.member_id JOIN units u ON u.id = a.unit_id
         LEFT JOIN taken t USING (member_id) WHERE $4 IS NULL OR a.member_id > $4 ORDER BY a.member_id LIMIT $5"
    );
    let query = diesel::sql_query(query).bind::<SqlUuid, _>(quiz_id).bind::<SqlUuid, _>(unit_id);
    let query = query.bind::<Date, _>(today).bind::<Nullable<SqlUuid>, _>(after).bind::<BigInt, _>(fetch);
    Ok(query.load(conn).await?)
}

#[derive(QueryableByName)]
struct NotTaken {
    #[diesel(sql_type = SqlUuid)]
    member_id: Uuid,
}

/// The members whom a quiz reaches in a unit and who have not opened an attempt.
pub async fn not_taken(
    conn: &mut Conn,
    (quiz_id, unit_id, today): (Uuid, Uuid, NaiveDate),
    most: i64,
) -> Result<Vec<Uuid>, Problem> {
    let query = format!(
        "{REACHED} SELECT a.member_id FROM audience a WHERE NOT EXISTS (
             SELECT 1 FROM quiz_attempts t WHERE t.quiz_id = $1 AND t.member_id = a.member_id) ORDER BY a.member_id LIMIT $4"
    );
    let query = diesel::sql_query(query).bind::<SqlUuid, _>(quiz_id).bind::<SqlUuid, _>(unit_id);
    let rows: Vec<NotTaken> = query.bind::<Date, _>(today).bind::<BigInt, _>(most).load(conn).await?;
    Ok(rows.into_iter().map(|row| row.member_id).collect())
}

#[derive(QueryableByName)]
struct ChildSize {
    #[diesel(sql_type = SqlUuid)]
    unit_id: Uuid,
    #[diesel(sql_type = BigInt)]
    members: i64,
}

/// How many members a quiz reaches in each of the units beside a unit, itself included; none for a unit at the top.
pub async fn beside(
    conn: &mut Conn,
    quiz_id: Uuid,
    unit_id: Uuid,
    today: NaiveDate,
) -> Result<Vec<(Uuid, i64)>, Problem> {
    let Some(parent) = units::parent(conn, unit_id, today).await? else { return Ok(Vec::new()) };
    let query = format!(
        "{REACHED} SELECT t.ancestor_id AS unit_id, count(*) AS members FROM audience a
             JOIN unit_tree t ON t.descendant_id = a.unit_id AND t.valid_from <= $3 AND (t.valid_to IS NULL OR t.valid_to > $3)
             JOIN unit_links l ON l.unit_id = t.ancestor_id AND l.parent_id = $2
                 AND l.valid_from <= $3 AND (l.valid_to IS NULL OR l.valid_to > $3)
         GROUP BY t.ancestor_id ORDER BY members, t.ancestor_id"
    );
    let query = diesel::sql_query(query).bind::<SqlUuid, _>(quiz_id).bind::<SqlUuid, _>(parent);
    let rows: Vec<ChildSize> = query.bind::<Date, _>(today).load(conn).await?;
    Ok(rows.into_iter().map(|row| (row.unit_id, row.members)).collect())
}

#[derive(QueryableByName)]
struct ResultConcerns {
    #[diesel(sql_type = Bool)]
    concerns: bool,
}

/// Whether a quiz reaches a unit, something above it or something below it.
pub async fn concerns(conn: &mut Conn, quiz_id: Uuid, unit_id: Uuid, today: NaiveDate) -> Result<bool, Problem> {
    let row: ResultConcerns = diesel::sql_query(
        "SELECT EXISTS (SELECT 1 FROM quiz_targets q JOIN quizzes z ON z.id = q.quiz_id AND z.state = 'published'
             LEFT JOIN memberships m ON m.member_id = q.member_id AND m.valid_from <= $3 AND (m.valid_to IS NULL OR m.valid_to > $3)
             JOIN unit_tree t ON t.valid_from <= $3 AND (t.valid_to IS NULL OR t.valid_to > $3)
                 AND ((t.ancestor_id = q.unit_id AND t.descendant_id = $2)
                     OR (t.ancestor_id = $2 AND t.descendant_id = coalesce(q.unit_id, m.unit_id)))
             WHERE q.quiz_id = $1) AS concerns",
    )
    .bind::<SqlUuid, _>(quiz_id)
    .bind::<SqlUuid, _>(unit_id)
    .bind::<Date, _>(today)
    .get_result(conn)
    .await?;
    Ok(row.concerns)
}
