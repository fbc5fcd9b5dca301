//! Sheets in the database: attempts that were printed.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::quiz_attempts;
use crate::kernel::http::problem::Problem;

/// A sheet and whose it is.
#[derive(Debug, Clone, QueryableByName)]
pub struct StoredSheet {
    #[diesel(sql_type = SqlUuid)]
    pub attempt_id: Uuid,
    #[diesel(sql_type = Text)]
    pub code: String,
    #[diesel(sql_type = SqlUuid)]
    pub quiz_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub member_id: Uuid,
    #[diesel(sql_type = Text)]
    pub full_name: String,
    #[diesel(sql_type = Bool)]
    pub waits: bool,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub submitted_at: Option<DateTime<Utc>>,
}

const SHEET: &str =
    "SELECT a.id AS attempt_id, a.paper_code AS code, a.quiz_id, a.member_id, m.full_name, a.paper_waits AS waits,
        a.submitted_at
    FROM quiz_attempts a JOIN members m ON m.id = a.member_id";

/// The sheets of a quiz for members of a unit and below, in the order of their ids.
pub async fn of_unit(
    conn: &mut Conn,
    (quiz_id, unit_id, today): (Uuid, Uuid, NaiveDate),
    after: Option<Uuid>,
    fetch: i64,
) -> Result<Vec<StoredSheet>, Problem> {
    let query = format!(
        "{SHEET} WHERE a.quiz_id = $1 AND a.paper_code IS NOT NULL AND ($4 IS NULL OR a.id > $4)
             AND EXISTS (SELECT 1 FROM memberships s JOIN unit_tree t ON t.descendant_id = s.unit_id AND t.ancestor_id = $2
                 AND t.valid_from <= $3 AND (t.valid_to IS NULL OR t.valid_to > $3)
                 WHERE s.member_id = a.member_id AND s.valid_from <= $3 AND (s.valid_to IS NULL OR s.valid_to > $3))
         ORDER BY a.id LIMIT $5"
    );
    let query = diesel::sql_query(query).bind::<SqlUuid, _>(quiz_id).bind::<SqlUuid, _>(unit_id);
    let query = query.bind::<Date, _>(today).bind::<Nullable<SqlUuid>, _>(after).bind::<BigInt, _>(fetch);
    Ok(query.load(conn).await?)
}

/// The sheet with this code. 404 when there is none.
pub async fn by_code(conn: &mut Conn, code: &str) -> Result<StoredSheet, Problem> {
    let query = diesel::sql_query(format!("{SHEET} WHERE a.paper_code = $1")).bind::<Text, _>(code);
    Ok(query.get_result(conn).await?)
}

/// Makes an open attempt one on paper; it can be entered until `until`.
pub async fn put_on_paper(conn: &mut Conn, id: Uuid, code: &str, until: DateTime<Utc>) -> Result<(), Problem> {
    diesel::update(quiz_attempts::table.find(id))
        .set((quiz_attempts::paper_code.eq(code), quiz_attempts::expires_at.eq(until)))
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes whether the answers of a sheet wait for a second officer.
pub async fn set_waiting(conn: &mut Conn, id: Uuid, waits: bool) -> Result<(), Problem> {
    diesel::update(quiz_attempts::table.find(id)).set(quiz_attempts::paper_waits.eq(waits)).execute(conn).await?;
    Ok(())
}

/// Notes that officers entered the answers.
pub async fn set_assisted(conn: &mut Conn, id: Uuid) -> Result<(), Problem> {
    let entered = (quiz_attempts::paper_waits.eq(false), quiz_attempts::assisted.eq(true));
    diesel::update(quiz_attempts::table.find(id)).set(entered).execute(conn).await?;
    Ok(())
}

#[derive(QueryableByName)]
struct PaperMember {
    #[diesel(sql_type = SqlUuid)]
    member_id: Uuid,
}

/// Of these members those without a device who belong to a unit or below it today.
pub async fn eligible(
    conn: &mut Conn,
    members: &[Uuid],
    unit_id: Uuid,
    today: NaiveDate,
) -> Result<Vec<Uuid>, Problem> {
    let rows: Vec<PaperMember> = diesel::sql_query(
        "SELECT m.id AS member_id FROM members m JOIN memberships s ON s.member_id = m.id
             AND s.valid_from <= $3 AND (s.valid_to IS NULL OR s.valid_to > $3)
         JOIN unit_tree t ON t.descendant_id = s.unit_id AND t.ancestor_id = $2
             AND t.valid_from <= $3 AND (t.valid_to IS NULL OR t.valid_to > $3)
         WHERE m.id = ANY($1) AND m.without_device",
    )
    .bind::<Array<SqlUuid>, _>(members)
    .bind::<SqlUuid, _>(unit_id)
    .bind::<Date, _>(today)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.member_id).collect())
}
