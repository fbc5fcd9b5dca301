//! What never changes of quizzes and is cached: pools, versions of questions, the questions of an attempt.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Int4, Jsonb, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use quick_cache::sync::Cache;
use serde_json::Value;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::statement::Prepared;
use crate::kernel::http::problem::Problem;
use crate::quizzes::banks::store::StoredOption;

use super::model::{DrawnQuestion, PoolQuestion};

/// Pools of published quizzes: most recently drawn from.
static POOLS: LazyLock<Cache<Uuid, Arc<[PoolQuestion]>>> = LazyLock::new(|| Cache::new(500));
/// Questions by id and version.
static ASKED: LazyLock<Cache<(Uuid, i32), Arc<Asked>>> = LazyLock::new(|| Cache::new(20_000));
/// The questions of attempts.
static ATTEMPTS: LazyLock<Cache<Uuid, Arc<[AnswerableQuestion]>>> = LazyLock::new(|| Cache::new(10_000));

#[derive(QueryableByName)]
struct PoolRow {
    #[diesel(sql_type = SmallInt)]
    draw: i16,
    #[diesel(sql_type = SqlUuid)]
    question_id: Uuid,
    #[diesel(sql_type = Int4)]
    version: i32,
    #[diesel(sql_type = Array<SqlUuid>)]
    options: Vec<Uuid>,
}

/// The pool of a published quiz.
pub async fn pool(conn: &mut Conn, quiz_id: Uuid) -> Result<Arc<[PoolQuestion]>, Problem> {
    if let Some(pool) = POOLS.get(&quiz_id) {
        return Ok(pool);
    }
    let rows: Vec<PoolRow> = diesel::sql_query(
        "SELECT p.draw, p.question_id, p.version,
             ARRAY(SELECT (o ->> 'id')::uuid FROM jsonb_array_elements(v.options) WITH ORDINALITY AS t (o, n) ORDER BY n) AS options
         FROM quiz_pool p JOIN question_versions v ON v.question_id = p.question_id AND v.version = p.version
         WHERE p.quiz_id = $1 ORDER BY p.question_id",
    )
    .bind::<SqlUuid, _>(quiz_id)
    .load(conn)
    .await?;
    let question = |row: PoolRow| PoolQuestion {
        draw: usize::try_from(row.draw).unwrap_or(0),
        question_id: row.question_id,
        version: row.version,
        options: row.options,
    };
    let pool: Arc<[PoolQuestion]> = rows.into_iter().map(question).collect();
    if !pool.is_empty() {
        POOLS.insert(quiz_id, pool.clone());
    }
    Ok(pool)
}

/// A question in the version that was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    pub kind: String,
    pub text: String,
    pub options: Vec<StoredOption>,
    pub explanation: Option<String>,
}

impl Asked {
    /// Whether one option at most can be ticked.
    pub fn is_single(&self) -> bool {
        self.kind != "multiple_choice"
    }

    /// The options that are right.
    pub fn right(&self) -> HashSet<Uuid> {
        self.options.iter().filter(|option| option.correct).map(|option| option.id).collect()
    }
}

#[derive(QueryableByName)]
struct VersionRow {
    #[diesel(sql_type = SqlUuid)]
    question_id: Uuid,
    #[diesel(sql_type = Int4)]
    version: i32,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    text: String,
    #[diesel(sql_type = Jsonb)]
    options: Value,
    #[diesel(sql_type = Nullable<Text>)]
    explanation: Option<String>,
}

/// The questions of an attempt in the versions asked.
pub async fn asked(mut conn: &Conn, questions: &[DrawnQuestion]) -> Result<HashMap<(Uuid, i32), Arc<Asked>>, Problem> {
    let mut found = HashMap::with_capacity(questions.len());
    let mut unknown = Vec::new();
    for question in questions {
        let key = (question.question_id, question.version);
        match ASKED.get(&key) {
            Some(asked) => drop(found.insert(key, asked)),
            None => unknown.push(key),
        }
    }
    if unknown.is_empty() {
        return Ok(found);
    }
    let (ids, versions): (Vec<Uuid>, Vec<i32>) = unknown.into_iter().unzip();
    let query = diesel::sql_query(VERSIONS).bind::<Array<SqlUuid>, _>(ids).bind::<Array<Int4>, _>(versions);
    let rows: Vec<VersionRow> = query.load(&mut conn).await?;
    for row in rows {
        let options = serde_json::from_value(row.options).map_err(Problem::internal)?;
        let asked = Asked { kind: row.kind, text: row.text, options, explanation: row.explanation };
        let (key, asked) = ((row.question_id, row.version), Arc::new(asked));
        ASKED.insert(key, asked.clone());
        found.insert(key, asked);
    }
    Ok(found)
}

const VERSIONS: &str =
    "SELECT v.question_id, v.version, v.kind, v.text, v.options, v.explanation FROM question_versions v
    JOIN unnest($1::uuid[], $2::int4[]) AS k (question_id, version) USING (question_id, version)";

/// A question of an attempt, by the attempt's own ids.
#[derive(Debug)]
pub struct AnswerableQuestion {
    pub id: Uuid,
    pub options: Vec<Uuid>,
    /// Takes one option at most.
    pub single: bool,
}

/// An attempt that is not graded before the end of the transaction.
pub struct HeldAttempt {
    pub member_id: Uuid,
    pub expires_at: DateTime<Utc>,
    pub submitted: bool,
    pub questions: Arc<[AnswerableQuestion]>,
}

#[derive(QueryableByName)]
struct AttemptHoldRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    member_id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    expires_at: DateTime<Utc>,
    #[diesel(sql_type = Bool)]
    submitted: bool,
}

/// Grading locks an attempt for update, so it waits for what is being saved, and what comes later finds it submitted.
const HOLD: &str = "SELECT id, member_id, expires_at, submitted_at IS NOT NULL AS submitted FROM quiz_attempts
    WHERE id = ANY($1) ORDER BY id FOR KEY SHARE";

/// Locks attempts against grading until the end of the transaction. Leaves out those that do not exist.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn hold(mut conn: &Conn, ids: Vec<Uuid>) -> Result<HashMap<Uuid, HeldAttempt>, Problem> {
    let query = Prepared(diesel::sql_query(HOLD).bind::<Array<SqlUuid>, _>(ids));
    let rows: Vec<AttemptHoldRow> = query.load(&mut conn).await?;
    let unknown: Vec<Uuid> = rows.iter().map(|row| row.id).filter(|id| ATTEMPTS.get(id).is_none()).collect();
    let read = if unknown.is_empty() { HashMap::new() } else { read(conn, unknown).await? };
    let mut held = HashMap::with_capacity(rows.len());
    for AttemptHoldRow { id, member_id, expires_at, submitted } in rows {
        let questions = read.get(&id).cloned().or_else(|| ATTEMPTS.get(&id));
        let questions = questions.ok_or_else(|| Problem::internal("an attempt without questions"))?;
        held.insert(id, HeldAttempt { member_id, expires_at, submitted, questions });
    }
    Ok(held)
}

#[derive(QueryableByName)]
struct ItemsRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Jsonb)]
    items: Value,
}

/// Reads and caches the questions of attempts.
async fn read(mut conn: &Conn, ids: Vec<Uuid>) -> Result<HashMap<Uuid, Arc<[AnswerableQuestion]>>, Problem> {
    let query = diesel::sql_query("SELECT id, items FROM quiz_attempts WHERE id = ANY($1)");
    let rows: Vec<ItemsRow> = Prepared(query.bind::<Array<SqlUuid>, _>(ids)).load(&mut conn).await?;
    let drawn = rows.into_iter().map(|row| Ok((row.id, serde_json::from_value(row.items)?)));
    let drawn: Vec<(Uuid, Vec<DrawnQuestion>)> = drawn.collect::<serde_json::Result<_>>().map_err(Problem::internal)?;
    let all: Vec<DrawnQuestion> = drawn.iter().flat_map(|(_, questions)| questions).cloned().collect();
    let asked = asked(conn, &all).await?;
    let single = |of: &DrawnQuestion| asked.get(&(of.question_id, of.version)).is_some_and(|asked| asked.is_single());
    let answerable = |question: DrawnQuestion| AnswerableQuestion {
        id: question.id,
        single: single(&question),
        options: question.options.into_iter().map(|option| option.id).collect(),
    };
    let mut read = HashMap::with_capacity(drawn.len());
    for (id, questions) in drawn {
        let questions: Arc<[AnswerableQuestion]> = questions.into_iter().map(answerable).collect();
        ATTEMPTS.insert(id, questions.clone());
        read.insert(id, questions);
    }
    Ok(read)
}
