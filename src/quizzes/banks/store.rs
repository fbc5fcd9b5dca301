//! Banks, questions and their versions in the database.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Bool, Bytea, Int4, Jsonb, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::{documents, question_banks, questions as questions_table};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::ids::new_id;

/// A bank to be made.
#[derive(Debug, Clone)]
pub struct NewBank {
    pub unit_id: Uuid,
    pub title: String,
    pub document_id: Option<Uuid>,
}

/// An option of a stored version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredOption {
    pub id: Uuid,
    pub text: String,
    pub correct: bool,
}

/// A bank as it is listed.
#[derive(Debug, Clone, QueryableByName)]
pub struct BankRow {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub unit_id: Uuid,
    #[diesel(sql_type = Text)]
    pub title: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub document_id: Option<Uuid>,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = BigInt)]
    pub questions: i64,
    /// Whether the document that it names was superseded or recalled.
    #[diesel(sql_type = Bool)]
    pub outdated: bool,
}

/// A question in its present version.
#[derive(Debug, Clone, QueryableByName)]
pub struct QuestionRow {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// Counts questions in the order in which they came.
    #[diesel(sql_type = BigInt)]
    pub no: i64,
    #[diesel(sql_type = Bytea)]
    pub identity: Vec<u8>,
    #[diesel(sql_type = Text)]
    pub state: String,
    #[diesel(sql_type = Int4)]
    pub version: i32,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub text: String,
    #[diesel(sql_type = Jsonb)]
    pub options: Value,
    #[diesel(sql_type = Nullable<Text>)]
    pub explanation: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub topic: Option<String>,
    #[diesel(sql_type = Nullable<SmallInt>)]
    pub difficulty: Option<i16>,
    /// Whether it waits for a second officer.
    #[diesel(sql_type = Bool)]
    pub waits: bool,
    /// Whether the document of its bank was superseded or recalled.
    #[diesel(sql_type = Bool)]
    pub outdated: bool,
}

impl QuestionRow {
    /// The options; the database holds nothing else.
    pub fn options(&self) -> Result<Vec<StoredOption>, Problem> {
        serde_json::from_value(self.options.clone()).map_err(Problem::internal)
    }
}

/// Makes a bank. Returns its id.
pub async fn create(conn: &mut Conn, new: &NewBank, by: Uuid, now: DateTime<Utc>) -> Result<Uuid, Problem> {
    let id = new_id(now);
    diesel::insert_into(question_banks::table)
        .values((
            question_banks::id.eq(id),
            question_banks::unit_id.eq(new.unit_id),
            question_banks::title.eq(&new.title),
            question_banks::document_id.eq(new.document_id),
            question_banks::created_by.eq(by),
            question_banks::created_at.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok(id)
}

/// The unit that owns a bank. 404 when there is none.
pub async fn unit_of(conn: &mut Conn, bank_id: Uuid) -> Result<Uuid, Problem> {
    Ok(question_banks::table.find(bank_id).select(question_banks::unit_id).first(conn).await?)
}

/// Locks a bank: imports into it come one after the other.
pub async fn lock(conn: &mut Conn, bank_id: Uuid) -> Result<(), Problem> {
    question_banks::table.find(bank_id).select(question_banks::id).for_update().first::<Uuid>(conn).await?;
    Ok(())
}

const BANK: &str = "SELECT b.id, b.unit_id, b.title, b.document_id, b.created_at,
        (SELECT count(*) FROM questions q WHERE q.bank_id = b.id AND q.state <> 'retired') AS questions,
        coalesce(d.state IN ('superseded', 'recalled'), false) AS outdated
    FROM question_banks b LEFT JOIN documents d ON d.id = b.document_id";

/// One bank.
pub async fn get(conn: &mut Conn, bank_id: Uuid) -> Result<BankRow, Problem> {
    let query = diesel::sql_query(format!("{BANK} WHERE b.id = $1")).bind::<SqlUuid, _>(bank_id);
    Ok(query.get_result(conn).await?)
}

/// The banks of a unit, newest first.
pub async fn of_unit(
    conn: &mut Conn,
    unit_id: Uuid,
    before: Option<Uuid>,
    fetch: i64,
) -> Result<Vec<BankRow>, Problem> {
    let query = format!("{BANK} WHERE b.unit_id = $1 AND ($2 IS NULL OR b.id < $2) ORDER BY b.id DESC LIMIT $3");
    let query = diesel::sql_query(query).bind::<SqlUuid, _>(unit_id).bind::<Nullable<SqlUuid>, _>(before);
    Ok(query.bind::<BigInt, _>(fetch).load(conn).await?)
}

const QUESTION: &str =
    "SELECT q.id, q.no, q.identity, q.state, q.version, v.kind, v.text, v.options, v.explanation, v.topic,
        v.difficulty, q.review_id IS NOT NULL AS waits, coalesce(d.state IN ('superseded', 'recalled'), false) AS outdated
    FROM questions q JOIN question_versions v ON v.question_id = q.id AND v.version = q.version
    JOIN question_banks b ON b.id = q.bank_id LEFT JOIN documents d ON d.id = b.document_id";

/// The questions of a bank in the order in which they came.
pub async fn questions(
    conn: &mut Conn,
    bank_id: Uuid,
    after: Option<i64>,
    fetch: i64,
) -> Result<Vec<QuestionRow>, Problem> {
    let query = format!("{QUESTION} WHERE q.bank_id = $1 AND ($2 IS NULL OR q.no > $2) ORDER BY q.no LIMIT $3");
    let query = diesel::sql_query(query).bind::<SqlUuid, _>(bank_id).bind::<Nullable<BigInt>, _>(after);
    Ok(query.bind::<BigInt, _>(fetch).load(conn).await?)
}

/// The questions of a bank among these identities.
pub async fn of_identities(
    conn: &mut Conn,
    bank_id: Uuid,
    identities: &[Vec<u8>],
) -> Result<Vec<QuestionRow>, Problem> {
    let query = diesel::sql_query(format!("{QUESTION} WHERE q.bank_id = $1 AND q.identity = ANY($2)"));
    Ok(query.bind::<SqlUuid, _>(bank_id).bind::<Array<Bytea>, _>(identities).load(conn).await?)
}

/// Makes new questions, each with its first version, or a further version of known ones.
pub async fn write(
    conn: &mut Conn,
    bank_id: Uuid,
    rows: &Value,
    review_id: Option<Uuid>,
    (author, now): (Uuid, DateTime<Utc>),
) -> Result<(), Problem> {
    diesel::sql_query(format!(
        "INSERT INTO questions AS q (id, bank_id, identity, state, version, created_at, review_id)
         SELECT r.id, $2, decode(r.identity, 'hex'), CASE WHEN $4 IS NULL THEN 'reviewed' ELSE 'draft' END, r.version, $3, $4
         FROM {ROWS}
         ON CONFLICT (bank_id, identity) DO UPDATE SET version = excluded.version,
             state = CASE WHEN q.state = 'retired' THEN q.state ELSE excluded.state END,
             review_id = CASE WHEN q.state = 'retired' THEN NULL ELSE excluded.review_id END"
    ))
    .bind::<Jsonb, _>(rows)
    .bind::<SqlUuid, _>(bank_id)
    .bind::<Timestamptz, _>(now)
    .bind::<Nullable<SqlUuid>, _>(review_id)
    .execute(conn)
    .await?;
    add_versions(conn, rows, (author, now)).await
}

const ROWS: &str = "jsonb_to_recordset($1) AS r (id uuid, identity text, version integer, kind text, text text,
    options jsonb, explanation text, topic text, difficulty smallint)";

async fn add_versions(conn: &mut Conn, rows: &Value, (author, now): (Uuid, DateTime<Utc>)) -> Result<(), Problem> {
    diesel::sql_query(format!(
        "INSERT INTO question_versions (question_id, version, kind, text, options, explanation, topic, difficulty, author_id, created_at)
         SELECT r.id, r.version, r.kind, r.text, r.options, r.explanation, r.topic, r.difficulty, $2, $3 FROM {ROWS}"
    ))
    .bind::<Jsonb, _>(rows)
    .bind::<SqlUuid, _>(author)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives a question its next version, under the identity that follows from it.
pub async fn revise(conn: &mut Conn, version: &Value, by: (Uuid, DateTime<Utc>)) -> Result<(), Problem> {
    let rows = Value::Array(vec![version.clone()]);
    diesel::sql_query(format!(
        "UPDATE questions q SET identity = decode(r.identity, 'hex'), version = r.version FROM {ROWS} WHERE q.id = r.id"
    ))
    .bind::<Jsonb, _>(&rows)
    .execute(conn)
    .await?;
    add_versions(conn, &rows, by).await
}

/// Sets where a question stands, and the review that it waits for.
pub async fn place(conn: &mut Conn, id: Uuid, state: &str, review_id: Option<Uuid>) -> Result<(), Problem> {
    diesel::update(questions_table::table.find(id))
        .set((questions_table::state.eq(state), questions_table::review_id.eq(review_id)))
        .execute(conn)
        .await?;
    Ok(())
}

/// The bank of a question. 404 when there is none.
pub async fn bank_of(conn: &mut Conn, id: Uuid) -> Result<Uuid, Problem> {
    Ok(questions_table::table.find(id).select(questions_table::bank_id).first(conn).await?)
}

/// One question in its present version.
pub async fn question(conn: &mut Conn, id: Uuid) -> Result<QuestionRow, Problem> {
    let query = diesel::sql_query(format!("{QUESTION} WHERE q.id = $1")).bind::<SqlUuid, _>(id);
    Ok(query.get_result(conn).await?)
}

/// Insists that the unit owns the document and has not recalled it.
pub async fn require_document(conn: &mut Conn, document_id: Uuid, unit_id: Uuid) -> Result<(), Problem> {
    let found: Option<Uuid> = documents::table
        .find(document_id)
        .filter(documents::unit_id.eq(unit_id))
        .filter(documents::recalled_at.is_null())
        .select(documents::id)
        .first(conn)
        .await
        .optional()?;
    let missing = || {
        let (vi, en) = ("Đơn vị không có tài liệu này.", "The unit owns no such document.");
        Problem::with(Code::RuleNotMet, vi, en)
    };
    found.map(|_| ()).ok_or_else(missing)
}
