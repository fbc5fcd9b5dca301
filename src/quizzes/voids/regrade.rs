//! Grades attempts again after a question was voided, and pays the differences.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::kernel::db::{Conn, Db};
use crate::kernel::http::problem::Problem;
use crate::kernel::outbox;
use crate::points;
use crate::quizzes::attempts::grading::marked;
use crate::quizzes::attempts::store::{self as attempts, Regrade};
use crate::quizzes::attempts::subject::AttemptSubject;
use crate::quizzes::contests::scores;

use super::store;

/// Attempts of one slice.
const SLICE: i64 = 20;

/// Grades some attempts again, each in a transaction of its own. Returns whether there may be more.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn regrade_some(db: &Db, now: DateTime<Utc>) -> Result<bool, Problem> {
    let due = store::quizzes_to_regrade(&mut *db.conn().await?).await?;
    for quiz in &due {
        let ids = store::attempts_to_regrade(&mut *db.conn().await?, quiz, SLICE).await?;
        for id in &ids {
            db.transaction(async |conn| regrade(conn, *id, now).await).await?;
        }
        if !ids.is_empty() {
            return Ok(true);
        }
        // What is being graded at this moment may not have seen the last void.
        if !quiz.running {
            db.transaction(async |conn| store::settle(conn, quiz).await).await?;
        }
    }
    Ok(false)
}

async fn regrade(conn: &mut Conn, attempt_id: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    let seen = attempts::get(conn, attempt_id).await?;
    let Some(submitted_at) = seen.submitted_at else { return Ok(()) };
    // The month comes before anything else of the member.
    points::lock_month(conn, seen.member_id, submitted_at).await?;
    let attempt = attempts::lock(conn, attempt_id).await?;
    let subject = AttemptSubject::of(conn, &attempt).await?;
    let (Some(quiz), Some(mut receipt)) = (subject.quiz(), attempt.receipt.clone()) else { return Ok(()) };
    if attempt.voids >= quiz.voids {
        return Ok(());
    }
    let mark = marked(conn, &attempt, &subject).await?;
    let earnest = mark.passed && attempt.practice == Some(false);
    let before = attempt.credited.then_some(attempt.points.unwrap_or(0));
    let paid =
        if earnest { subject.top_up(conn, &attempt, (before, mark.percent), (submitted_at, now)).await? } else { None };
    let points = paid.as_ref().map_or(0, |award| award.points_awarded);
    let changed = points > 0 || receipt["score"] != json!(mark.score);
    note(&mut receipt, (mark.score, mark.percent, mark.passed), points, paid.as_ref());
    let regrade = Regrade {
        score: mark.score,
        percent: mark.percent,
        passed: mark.passed,
        credited: attempt.credited || paid.is_some(),
        points: attempt.points.unwrap_or(0) + points,
        voids: quiz.voids,
    };
    attempts::regrade(conn, attempt_id, &regrade, &receipt).await?;
    if let Some(contest_id) = quiz.contest_id {
        scores::follow(conn, contest_id, attempt.member_id).await?;
    }
    if changed {
        let details = json!({"quiz_id": quiz.id, "attempt_id": attempt_id, "points": points});
        outbox::tell(conn, "quiz_regraded", &[attempt.member_id], &details, now).await?;
    }
    Ok(())
}

/// Brings the receipt up to date.
fn note(receipt: &mut Value, (score, percent, passed): (i32, i32, bool), points: i32, paid: Option<&points::Award>) {
    receipt["score"] = json!(score);
    receipt["percent"] = json!(percent);
    receipt["passed"] = json!(passed);
    receipt["points_awarded"] = json!(receipt["points_awarded"].as_i64().unwrap_or(0) + i64::from(points));
    if let (Some(paid), Some(entries)) = (paid, receipt["entries"].as_array_mut()) {
        entries.extend(paid.entries.iter().filter_map(|entry| serde_json::to_value(entry).ok()));
    }
}
