//! Freezes the results of contests that have ended: canonical rows with a hash each, under a signed manifest.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Int4, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::db::schema::{contest_closing_rows, contest_closings};
use crate::kernel::db::{Conn, Db};
use crate::kernel::http::problem::Problem;
use crate::kernel::outbox;
use crate::kernel::security::crypto::Crypto;
use crate::organisation::units;
use crate::points::signing::{canonical, hash, hex, normal, signer};
use crate::quizzes::attempts::answers::GRACE_SECONDS;

use super::model::{ContestManifest, ContestRoundResult, ContestRow, FORMAT, HeldRound, OVER_ALL};
use super::store::{self, StoredContest};

/// Rows of one insert.
const CHUNK: usize = 5_000;

/// Freezes one contest whose last round has ended and whose attempts are all graded. Returns whether there may be more.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn freeze_due(db: &Db, crypto: &Crypto, now: DateTime<Utc>) -> Result<bool, Problem> {
    db.transaction(async |conn| {
        let Some(contest) = next(conn, now).await? else { return Ok(false) };
        freeze(conn, crypto, &contest, now).await?;
        Ok(true)
    })
    .await
}

async fn next(conn: &mut Conn, now: DateTime<Utc>) -> Result<Option<StoredContest>, Problem> {
    let query = diesel::sql_query(
        "SELECT c.id, c.unit_id, c.title, c.opens_at, c.closes_at FROM contests c WHERE c.closes_at < $1
             AND NOT EXISTS (SELECT 1 FROM contest_closings f WHERE f.contest_id = c.id)
             AND NOT EXISTS (SELECT 1 FROM quizzes z JOIN quiz_attempts a ON a.quiz_id = z.id
                 WHERE z.contest_id = c.id AND a.submitted_at IS NULL)
         ORDER BY c.closes_at LIMIT 1 FOR UPDATE OF c SKIP LOCKED",
    );
    let query = query.bind::<Timestamptz, _>(now - TimeDelta::seconds(GRACE_SECONDS));
    Ok(query.get_result(conn).await.optional()?)
}

#[derive(Debug, QueryableByName)]
struct FinalStanding {
    #[diesel(sql_type = SmallInt)]
    round: i16,
    #[diesel(sql_type = BigInt)]
    rank: i64,
    #[diesel(sql_type = SqlUuid)]
    member_id: Uuid,
    #[diesel(sql_type = Text)]
    full_name: String,
    #[diesel(sql_type = SqlUuid)]
    unit_id: Uuid,
    #[diesel(sql_type = Text)]
    unit_name: String,
    #[diesel(sql_type = Int4)]
    score: i32,
    #[diesel(sql_type = Int4)]
    seconds: i32,
}

/// The standings of all rounds and of their sum, which comes first.
async fn standings(conn: &mut Conn, contest_id: Uuid) -> Result<Vec<FinalStanding>, Problem> {
    Ok(diesel::sql_query(
        "SELECT s.round, rank() OVER (PARTITION BY s.round ORDER BY s.score DESC, s.seconds) AS rank, s.member_id, m.full_name,
             s.unit_id, u.name AS unit_name, s.score, s.seconds
         FROM contest_scores s JOIN members m ON m.id = s.member_id JOIN units u ON u.id = s.unit_id
         WHERE s.contest_id = $1 ORDER BY s.round, s.score DESC, s.seconds, s.member_id",
    )
    .bind::<SqlUuid, _>(contest_id)
    .load(conn)
    .await?)
}

/// A row for each member, and the number of members in each round.
fn rows(standings: Vec<FinalStanding>) -> (Vec<ContestRow>, HashMap<i16, i32>) {
    let (over_all, rounds): (Vec<_>, Vec<_>) = standings.into_iter().partition(|standing| standing.round == OVER_ALL);
    let (mut of_member, mut counts) = (HashMap::<Uuid, Vec<ContestRoundResult>>::new(), HashMap::new());
    for FinalStanding { round, rank, member_id, score, seconds, .. } in rounds {
        *counts.entry(round).or_insert(0) += 1;
        of_member.entry(member_id).or_default().push(ContestRoundResult { round, rank, score, seconds });
    }
    let row = |(position, standing): (i32, FinalStanding)| ContestRow {
        position,
        rank: standing.rank,
        member_id: standing.member_id,
        full_name: normal(&standing.full_name),
        unit_id: standing.unit_id,
        unit_name: normal(&standing.unit_name),
        score: standing.score,
        seconds: standing.seconds,
        rounds: of_member.remove(&standing.member_id).unwrap_or_default(),
    };
    ((1..).zip(over_all).map(row).collect(), counts)
}

async fn freeze(conn: &mut Conn, crypto: &Crypto, contest: &StoredContest, now: DateTime<Utc>) -> Result<(), Problem> {
    let signer = signer(conn, crypto, now).await?;
    let (rows, counts) = rows(standings(conn, contest.id).await?);
    let held = store::rounds(conn, &[contest.id]).await?.into_iter().filter(|quiz| quiz.is_published()).map(|quiz| {
        let round = quiz.round.unwrap_or_default();
        HeldRound {
            round,
            quiz_id: quiz.id,
            title: normal(&quiz.title),
            opens_at: quiz.opens_at,
            closes_at: quiz.closes_at,
            questions: quiz.question_count,
            participants: counts.get(&round).copied().unwrap_or(0),
        }
    });
    let rounds: Vec<HeldRound> = held.collect();
    let contents = rows.iter().map(canonical).collect::<Result<Vec<String>, _>>()?;
    let hashes: Vec<Vec<u8>> = contents.iter().map(|content| hash(content)).collect();
    let manifest = ContestManifest {
        format: FORMAT.to_owned(),
        contest_id: contest.id,
        unit_id: contest.unit_id,
        unit_name: normal(&units::name(conn, contest.unit_id).await?),
        title: normal(&contest.title),
        frozen_at: now,
        rounds,
        row_hashes: hashes.iter().map(|hash| hex(hash)).collect(),
        kid: signer.kid.clone(),
    };
    let text = canonical(&manifest)?;
    diesel::insert_into(contest_closings::table)
        .values((
            contest_closings::contest_id.eq(contest.id),
            contest_closings::frozen_at.eq(now),
            contest_closings::manifest_hash.eq(hash(&text)),
            contest_closings::signature.eq(signer.sign(&text)),
            contest_closings::manifest.eq(text),
            contest_closings::kid.eq(&signer.kid),
        ))
        .execute(conn)
        .await?;
    let stored: Vec<_> = (1_i32..)
        .zip(contents.iter().zip(&hashes))
        .map(|(position, (content, hash))| {
            (
                contest_closing_rows::contest_id.eq(contest.id),
                contest_closing_rows::position.eq(position),
                contest_closing_rows::content.eq(content),
                contest_closing_rows::hash.eq(hash),
            )
        })
        .collect();
    for chunk in stored.chunks(CHUNK) {
        diesel::insert_into(contest_closing_rows::table).values(chunk.to_vec()).execute(conn).await?;
    }
    let payload = json!({"contest_id": contest.id, "unit_id": contest.unit_id});
    outbox::emit(conn, "contest.frozen", payload, now).await
}
