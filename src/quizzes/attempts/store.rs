//! Attempts, their answers and the questions they ask, in the database.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Int4, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::quiz_attempts;
use crate::kernel::db::statement::Prepared;
use crate::kernel::http::problem::Problem;

use super::answers::AttemptAnswer;
use super::model::{DrawnQuestion, Saved};

/// An attempt as it stands.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = quiz_attempts)]
pub struct AttemptRow {
    pub id: Uuid,
    /// None for an attempt at the questions of a document.
    pub quiz_id: Option<Uuid>,
    pub document_id: Option<Uuid>,
    pub document_version: Option<i32>,
    pub member_id: Uuid,
    pub number: i32,
    pub items: Value,
    pub started_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub submitted_at: Option<DateTime<Utc>>,
    pub receipt: Option<Value>,
    pub practice: Option<bool>,
    pub credited: bool,
    pub points: Option<i32>,
    /// Under how many voids of its quiz it was graded.
    pub voids: i32,
    /// The code of its sheet, for an attempt on paper.
    pub paper_code: Option<String>,
    /// Whether the answers of its sheet wait for a second officer.
    pub paper_waits: bool,
    /// Whether officers entered its answers.
    pub assisted: bool,
}

impl AttemptRow {
    pub fn is_open(&self) -> bool {
        self.submitted_at.is_none()
    }

    /// The questions in the order shown.
    pub fn questions(&self) -> Result<Vec<DrawnQuestion>, Problem> {
        serde_json::from_value(self.items.clone()).map_err(Problem::internal)
    }
}

/// An attempt to be opened.
pub struct NewAttempt<'a> {
    pub id: Uuid,
    pub quiz_id: Option<Uuid>,
    /// The document and its version, instead of a quiz.
    pub document: Option<(Uuid, i32)>,
    pub member_id: Uuid,
    pub number: i32,
    pub seed: &'a [u8],
    pub questions: &'a [DrawnQuestion],
    pub started_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// Opens an attempt, unless the member has one open by now. Returns whether it did.
pub async fn open(conn: &mut Conn, new: &NewAttempt<'_>) -> Result<bool, Problem> {
    let inserted = diesel::insert_into(quiz_attempts::table)
        .values((
            quiz_attempts::id.eq(new.id),
            quiz_attempts::quiz_id.eq(new.quiz_id),
            quiz_attempts::document_id.eq(new.document.map(|(id, _)| id)),
            quiz_attempts::document_version.eq(new.document.map(|(_, version)| version)),
            quiz_attempts::member_id.eq(new.member_id),
            quiz_attempts::number.eq(new.number),
            quiz_attempts::seed.eq(new.seed),
            quiz_attempts::items.eq(serde_json::to_value(new.questions).map_err(Problem::internal)?),
            quiz_attempts::started_at.eq(new.started_at),
            quiz_attempts::expires_at.eq(new.expires_at),
            quiz_attempts::max_score.eq(i32::try_from(new.questions.len()).unwrap_or(i32::MAX)),
        ))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    Ok(inserted > 0)
}

/// The attempts of a member at a quiz, oldest first.
pub async fn of_member(conn: &mut Conn, quiz_id: Uuid, member_id: Uuid) -> Result<Vec<AttemptRow>, Problem> {
    Ok(quiz_attempts::table
        .filter(quiz_attempts::quiz_id.eq(quiz_id))
        .filter(quiz_attempts::member_id.eq(member_id))
        .order(quiz_attempts::number)
        .select(AttemptRow::as_select())
        .load(conn)
        .await?)
}

/// One attempt. 404 when there is none.
pub async fn get(conn: &mut Conn, id: Uuid) -> Result<AttemptRow, Problem> {
    Ok(quiz_attempts::table.find(id).select(AttemptRow::as_select()).first(conn).await?)
}

/// The same, locked: it is graded once.
pub async fn lock(conn: &mut Conn, id: Uuid) -> Result<AttemptRow, Problem> {
    Ok(quiz_attempts::table.find(id).select(AttemptRow::as_select()).for_update().first(conn).await?)
}

/// Whether an attempt is the member's.
pub async fn belongs_to(conn: &mut Conn, id: Uuid, member_id: Uuid) -> Result<bool, Problem> {
    let found: Option<Uuid> = quiz_attempts::table
        .find(id)
        .filter(quiz_attempts::member_id.eq(member_id))
        .select(quiz_attempts::id)
        .first(conn)
        .await
        .optional()?;
    Ok(found.is_some())
}

#[derive(QueryableByName)]
struct AnswerRow {
    #[diesel(sql_type = SqlUuid)]
    question_id: Uuid,
    #[diesel(sql_type = Array<SqlUuid>)]
    option_ids: Vec<Uuid>,
}

/// What was saved of an attempt.
pub async fn saved(conn: &mut Conn, attempt_id: Uuid) -> Result<Saved, Problem> {
    let rows: Vec<AnswerRow> =
        diesel::sql_query("SELECT question_id, option_ids FROM quiz_answers WHERE attempt_id = $1")
            .bind::<SqlUuid, _>(attempt_id)
            .load(conn)
            .await?;
    Ok(rows.into_iter().map(|row| (row.question_id, row.option_ids)).collect())
}

/// An answer to be saved, of an attempt that is held, and when it came.
pub type AnswerToSave<'a> = (Uuid, &'a AttemptAnswer, DateTime<Utc>);

const SAVE: &str = "INSERT INTO quiz_answers (attempt_id, question_id, option_ids, seq, saved_at)
    SELECT a, q, string_to_array(o, ' ')::uuid[], s, t FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int8[], $5::timestamptz[])
        AS k (a, q, o, s, t)
    ON CONFLICT (attempt_id, question_id) DO UPDATE SET option_ids = excluded.option_ids,
        seq = greatest(excluded.seq, quiz_answers.seq), saved_at = excluded.saved_at
    WHERE excluded.seq IS NULL OR quiz_answers.seq IS NULL OR excluded.seq >= quiz_answers.seq";

/// Saves answers, each question of an attempt once; one with a lower `seq` than the one saved is passed over.
pub async fn save(mut conn: &Conn, mut answers: Vec<AnswerToSave<'_>>) -> Result<(), Problem> {
    // Everyone who saves locks rows in this order.
    answers.sort_by_key(|(attempt_id, answer, _)| (*attempt_id, answer.question_id));
    // An array of arrays would have to be rectangular.
    let options = |answer: &AttemptAnswer| answer.option_ids.iter().map(Uuid::to_string).collect::<Vec<_>>().join(" ");
    let query = diesel::sql_query(SAVE)
        .bind::<Array<SqlUuid>, _>(answers.iter().map(|(attempt_id, ..)| *attempt_id).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(answers.iter().map(|(_, answer, _)| answer.question_id).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(answers.iter().map(|(_, answer, _)| options(answer)).collect::<Vec<_>>())
        .bind::<Array<Nullable<BigInt>>, _>(answers.iter().map(|(_, answer, _)| answer.seq).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(answers.iter().map(|(.., now)| *now).collect::<Vec<_>>());
    Prepared(query).execute(&mut conn).await?;
    Ok(())
}

#[derive(QueryableByName)]
struct Passed {
    #[diesel(sql_type = Bool)]
    passed: bool,
}

/// Whether the member has passed the quiz in earnest before.
pub async fn has_passed(conn: &mut Conn, quiz_id: Uuid, member_id: Uuid) -> Result<bool, Problem> {
    let row: Passed = diesel::sql_query(
        "SELECT EXISTS (SELECT 1 FROM quiz_attempts WHERE quiz_id = $1 AND member_id = $2 AND passed AND NOT practice) AS passed",
    )
    .bind::<SqlUuid, _>(quiz_id)
    .bind::<SqlUuid, _>(member_id)
    .get_result(conn)
    .await?;
    Ok(row.passed)
}

/// The grade of an attempt.
#[derive(Debug, Clone)]
pub struct Grade {
    pub at: DateTime<Utc>,
    pub expired: bool,
    pub practice: bool,
    pub credited: bool,
    pub unit_id: Option<Uuid>,
    pub score: i32,
    pub percent: i32,
    pub passed: bool,
    pub seconds: i32,
    pub points: i32,
    pub voids: i32,
}

/// What a voided question changes of a grade.
#[derive(Debug, Clone)]
pub struct Regrade {
    pub score: i32,
    pub percent: i32,
    pub passed: bool,
    pub credited: bool,
    pub points: i32,
    pub voids: i32,
}

/// Changes the grade of an attempt.
pub async fn regrade(conn: &mut Conn, id: Uuid, grade: &Regrade, receipt: &Value) -> Result<(), Problem> {
    diesel::update(quiz_attempts::table.find(id))
        .set((
            quiz_attempts::score.eq(grade.score),
            quiz_attempts::percent.eq(grade.percent),
            quiz_attempts::passed.eq(grade.passed),
            quiz_attempts::credited.eq(grade.credited),
            quiz_attempts::points.eq(grade.points),
            quiz_attempts::voids.eq(grade.voids),
            quiz_attempts::receipt.eq(receipt),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends an attempt with its grade.
pub async fn finish(conn: &mut Conn, id: Uuid, grade: &Grade, receipt: &Value) -> Result<(), Problem> {
    diesel::update(quiz_attempts::table.find(id))
        .set((
            quiz_attempts::submitted_at.eq(grade.at),
            quiz_attempts::expired.eq(grade.expired),
            quiz_attempts::practice.eq(grade.practice),
            quiz_attempts::credited.eq(grade.credited),
            quiz_attempts::unit_id.eq(grade.unit_id),
            quiz_attempts::score.eq(grade.score),
            quiz_attempts::percent.eq(grade.percent),
            quiz_attempts::passed.eq(grade.passed),
            quiz_attempts::seconds.eq(grade.seconds),
            quiz_attempts::points.eq(grade.points),
            quiz_attempts::voids.eq(grade.voids),
            quiz_attempts::receipt.eq(receipt),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Attempts that were not submitted in time, those that ended first before others.
pub async fn due(conn: &mut Conn, before: DateTime<Utc>, most: i64) -> Result<Vec<Uuid>, Problem> {
    Ok(quiz_attempts::table
        .filter(quiz_attempts::submitted_at.is_null())
        .filter(quiz_attempts::paper_waits.eq(false))
        .filter(quiz_attempts::expires_at.lt(before))
        .order(quiz_attempts::expires_at)
        .limit(most)
        .select(quiz_attempts::id)
        .load(conn)
        .await?)
}

/// The attempts of a member, newest first.
pub async fn history(
    conn: &mut Conn,
    member_id: Uuid,
    before: Option<Uuid>,
    fetch: i64,
) -> Result<Vec<PastAttempt>, Problem> {
    Ok(diesel::sql_query(
        "SELECT a.id, a.quiz_id, a.document_id, coalesce(z.title, d.title) AS title, a.started_at, a.expires_at, a.submitted_at, a.score, a.max_score, a.percent, a.passed,
             a.practice, a.points
         FROM quiz_attempts a LEFT JOIN quizzes z ON z.id = a.quiz_id LEFT JOIN documents d ON d.id = a.document_id
         WHERE a.member_id = $1 AND ($2 IS NULL OR a.id < $2) ORDER BY a.id DESC LIMIT $3",
    )
    .bind::<SqlUuid, _>(member_id)
    .bind::<Nullable<SqlUuid>, _>(before)
    .bind::<BigInt, _>(fetch)
    .load(conn)
    .await?)
}

/// An attempt in a member's history.
#[derive(Debug, Clone, QueryableByName)]
pub struct PastAttempt {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub quiz_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub document_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    pub title: String,
    #[diesel(sql_type = Timestamptz)]
    pub started_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub expires_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub submitted_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Int4>)]
    pub score: Option<i32>,
    #[diesel(sql_type = Int4)]
    pub max_score: i32,
    #[diesel(sql_type = Nullable<Int4>)]
    pub percent: Option<i32>,
    #[diesel(sql_type = Nullable<Bool>)]
    pub passed: Option<bool>,
    #[diesel(sql_type = Nullable<Bool>)]
    pub practice: Option<bool>,
    #[diesel(sql_type = Nullable<Int4>)]
    pub points: Option<i32>,
}
