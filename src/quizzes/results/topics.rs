//! Where a member is weak: results by topic, of attempts whose answers are shown.

use std::collections::{BTreeMap, HashMap, HashSet};

use actix_web::get;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Int4, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::extract::{Myself, ReadRequest};
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::Reply;
use crate::quizzes::attempts::answers::GRACE_SECONDS;
use crate::quizzes::attempts::model::{DrawnQuestion, Saved, is_right};
use crate::quizzes::banks::store::StoredOption;

/// What a member's attempts say of one topic.
#[derive(Debug, Serialize, ToSchema)]
pub struct TopicResult {
    /// The topic; null for questions without one.
    #[schema(max_length = 200, example = "Sinh hoạt chi bộ")]
    topic: Option<String>,
    /// Questions asked.
    #[schema(minimum = 1, maximum = 100_000, example = 12)]
    asked: usize,
    /// Questions answered as they should be.
    #[schema(minimum = 0, maximum = 100_000, example = 7)]
    score: usize,
    /// The share in percent, rounded down.
    #[schema(minimum = 0, maximum = 100, example = 58)]
    percent: usize,
    /// Documents about the topic: those of the banks that the questions came from.
    #[schema(max_items = 20)]
    document_ids: Vec<Uuid>,
}

/// What a member's attempts say, the weakest topic first.
#[derive(Debug, Serialize, ToSchema)]
pub struct MyQuizResults {
    /// Attempts looked at: the last ones whose answers are shown, 50 at most.
    #[schema(minimum = 0, maximum = 50, example = 4)]
    attempts: usize,
    /// The topics, the weakest first.
    #[schema(max_items = 100)]
    topics: Vec<TopicResult>,
}

#[derive(QueryableByName)]
struct ShownAttempt {
    #[diesel(sql_type = Jsonb)]
    items: Value,
    #[diesel(sql_type = Jsonb)]
    answers: Value,
    #[diesel(sql_type = Array<SqlUuid>)]
    voided: Vec<Uuid>,
}

/// The last attempts whose answers the member may see: after the window, or at once for practice that shows them.
async fn attempts(conn: &mut Conn, member_id: Uuid, now: DateTime<Utc>) -> Result<Vec<ShownAttempt>, Problem> {
    Ok(diesel::sql_query(
        "SELECT a.items, coalesce((SELECT jsonb_object_agg(s.question_id, to_jsonb(s.option_ids))
                 FROM quiz_answers s WHERE s.attempt_id = a.id), '{}') AS answers,
             ARRAY(SELECT v.question_id FROM quiz_voids v WHERE v.quiz_id = z.id) AS voided
         FROM quiz_attempts a JOIN quizzes z ON z.id = a.quiz_id
         WHERE a.member_id = $1 AND a.submitted_at IS NOT NULL
             AND (z.closes_at < $2 OR (z.practice AND z.reveal = 'at_once')) ORDER BY a.id DESC LIMIT 50",
    )
    .bind::<SqlUuid, _>(member_id)
    .bind::<Timestamptz, _>(now - TimeDelta::seconds(GRACE_SECONDS))
    .load(conn)
    .await?)
}

#[derive(QueryableByName)]
struct TopicQuestion {
    #[diesel(sql_type = SqlUuid)]
    question_id: Uuid,
    #[diesel(sql_type = Int4)]
    version: i32,
    #[diesel(sql_type = Nullable<Text>)]
    topic: Option<String>,
    #[diesel(sql_type = Jsonb)]
    options: Value,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    document_id: Option<Uuid>,
    #[diesel(sql_type = Bool)]
    readable: bool,
}

async fn questions(
    conn: &mut Conn,
    asked: &HashSet<(Uuid, i32)>,
) -> Result<HashMap<(Uuid, i32), TopicQuestion>, Problem> {
    let rows: Vec<TopicQuestion> = diesel::sql_query(
        "SELECT v.question_id, v.version, v.topic, v.options, b.document_id,
             coalesce(d.state IN ('published', 'superseded'), false) AS readable
         FROM unnest($1::uuid[], $2::int4[]) AS k (question_id, version) JOIN question_versions v USING (question_id, version)
         JOIN questions q ON q.id = v.question_id JOIN question_banks b ON b.id = q.bank_id
         LEFT JOIN documents d ON d.id = b.document_id",
    )
    .bind::<Array<SqlUuid>, _>(asked.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind::<Array<Int4>, _>(asked.iter().map(|(_, version)| *version).collect::<Vec<_>>())
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| ((row.question_id, row.version), row)).collect())
}

#[derive(Default)]
struct TopicTally {
    asked: usize,
    score: usize,
    documents: HashSet<Uuid>,
}

async fn of_member(conn: &mut Conn, member_id: Uuid, now: DateTime<Utc>) -> Result<MyQuizResults, Problem> {
    let rows = attempts(conn, member_id, now).await?;
    let count = rows.len();
    let mut read: Vec<(Vec<DrawnQuestion>, Saved, Vec<Uuid>)> = Vec::with_capacity(count);
    for row in rows {
        let items = serde_json::from_value(row.items).map_err(Problem::internal)?;
        read.push((items, serde_json::from_value(row.answers).map_err(Problem::internal)?, row.voided));
    }
    let asked =
        read.iter().flat_map(|(items, _, _)| items.iter().map(|item| (item.question_id, item.version))).collect();
    let known = questions(conn, &asked).await?;
    let mut tallies: BTreeMap<Option<String>, TopicTally> = BTreeMap::new();
    for (items, saved, voided) in &read {
        for item in items {
            let Some(question) = known.get(&(item.question_id, item.version)) else { continue };
            let options: Vec<StoredOption> =
                serde_json::from_value(question.options.clone()).map_err(Problem::internal)?;
            let key = options.iter().filter(|option| option.correct).map(|option| option.id).collect();
            let tally = tallies.entry(question.topic.clone()).or_default();
            tally.asked += 1;
            tally.score += usize::from(voided.contains(&item.question_id) || is_right(item, saved, &key));
            tally.documents.extend(question.document_id.filter(|_| question.readable));
        }
    }
    let mut topics: Vec<TopicResult> = tallies.into_iter().map(|(topic, tally)| result(topic, tally)).collect();
    topics.sort_by_key(|topic| topic.percent);
    topics.truncate(100);
    Ok(MyQuizResults { attempts: count, topics })
}

fn result(topic: Option<String>, tally: TopicTally) -> TopicResult {
    let mut document_ids: Vec<Uuid> = tally.documents.into_iter().collect();
    document_ids.sort_unstable();
    document_ids.truncate(20);
    let percent = tally.score * 100 / tally.asked.max(1);
    TopicResult { topic, asked: tally.asked, score: tally.score, percent, document_ids }
}

/// Get my results by topic
///
/// What the caller's last attempts say of each topic, the weakest first, with the documents about it. Attempts count once their
/// window has ended, practice that shows its answers at once after its submission.
#[utoipa::path(tag = "Quizzes", responses((status = 403, description = "The caller is no member.")))]
#[get("/me/quiz-results")]
pub async fn get_my_quiz_results(mut request: ReadRequest<Myself>) -> Result<Reply<MyQuizResults>, Problem> {
    let (me, now) = (request.scope.caller.account_id, request.scope.now);
    let results = of_member(&mut request.conn, me, now).await?;
    request.reply(&results)
}
