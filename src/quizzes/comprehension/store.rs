//! Queries on the questions of documents and the attempts at them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Int4, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::quiz_attempts;
use crate::kernel::http::problem::Problem;
use crate::quizzes::attempts::model::{DrawnQuestion, PoolQuestion};
use crate::quizzes::attempts::store::{AttemptRow, NewAttempt};

#[derive(QueryableByName)]
struct DocumentQuestion {
    #[diesel(sql_type = SqlUuid)]
    question_id: Uuid,
    #[diesel(sql_type = Int4)]
    version: i32,
    #[diesel(sql_type = Array<SqlUuid>)]
    options: Vec<Uuid>,
}

/// The reviewed questions of the banks that name a document.
pub async fn questions(conn: &mut Conn, document_id: Uuid) -> Result<Vec<PoolQuestion>, Problem> {
    let rows: Vec<DocumentQuestion> = diesel::sql_query(
        "SELECT DISTINCT ON (q.identity) q.id AS question_id, q.version,
             ARRAY(SELECT (o ->> 'id')::uuid FROM jsonb_array_elements(v.options) WITH ORDINALITY AS t (o, n) ORDER BY n) AS options
         FROM question_banks b JOIN questions q ON q.bank_id = b.id AND q.state = 'reviewed'
         JOIN question_versions v ON v.question_id = q.id AND v.version = q.version
         WHERE b.document_id = $1 ORDER BY q.identity, q.id",
    )
    .bind::<SqlUuid, _>(document_id)
    .load(conn)
    .await?;
    let question = |row: DocumentQuestion| PoolQuestion {
        draw: 0,
        question_id: row.question_id,
        version: row.version,
        options: row.options,
    };
    Ok(rows.into_iter().map(question).collect())
}

/// Attempts that are looked at: those of some days.
const RECENT: i64 = 20;

/// The last attempts of a member at a document, oldest first.
pub async fn recent(conn: &mut Conn, document_id: Uuid, member_id: Uuid) -> Result<Vec<AttemptRow>, Problem> {
    let mut rows: Vec<AttemptRow> = quiz_attempts::table
        .filter(quiz_attempts::document_id.eq(document_id))
        .filter(quiz_attempts::member_id.eq(member_id))
        .order(quiz_attempts::number.desc())
        .limit(RECENT)
        .select(AttemptRow::as_select())
        .load(conn)
        .await?;
    rows.reverse();
    Ok(rows)
}

/// Whether the member has passed in earnest.
pub async fn has_passed(conn: &mut Conn, document_id: Uuid, member_id: Uuid) -> Result<bool, Problem> {
    let passed = quiz_attempts::table
        .filter(quiz_attempts::document_id.eq(document_id))
        .filter(quiz_attempts::member_id.eq(member_id))
        .filter(quiz_attempts::credited);
    Ok(diesel::select(diesel::dsl::exists(passed)).get_result(conn).await?)
}

/// An attempt to be opened at a document.
pub fn new_attempt<'a>(
    (id, number, seed): (Uuid, i32, &'a [u8]),
    document: (Uuid, i32),
    member_id: Uuid,
    questions: &'a [DrawnQuestion],
    (started_at, expires_at): (DateTime<Utc>, DateTime<Utc>),
) -> NewAttempt<'a> {
    NewAttempt {
        id,
        quiz_id: None,
        document: Some(document),
        member_id,
        number,
        seed,
        questions,
        started_at,
        expires_at,
    }
}
