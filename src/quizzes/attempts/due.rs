//! Attempts that were not submitted in time are graded by the server with what was saved.

use chrono::{DateTime, TimeDelta, Utc};

use crate::kernel::db::{Conn, Db};
use crate::kernel::http::problem::Problem;
use crate::points;
use crate::quizzes::OBJECT_KIND;
use crate::quizzes::publishing::store as quizzes;

use super::answers::GRACE_SECONDS;
use super::grading::grade;
use super::store;

/// Attempts and quizzes of one slice.
const SLICE: i64 = 20;

/// Grades some attempts whose time is over, each in a transaction of its own, and ends the offers of quizzes that have closed.
/// Returns whether there may be more.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn grade_some(db: &Db, now: DateTime<Utc>) -> Result<bool, Problem> {
    let before = now - TimeDelta::seconds(GRACE_SECONDS);
    let due = store::due(&mut *db.conn().await?, before, SLICE).await?;
    let mut failed = false;
    for id in &due {
        // One that cannot be graded now holds up no other.
        if let Err(problem) = db.transaction(async |conn| grade(conn, *id, now).await).await {
            tracing::warn!(%problem, attempt = %id, "the attempt will be graded later");
            failed = true;
        }
    }
    let ended = db.transaction(async |conn| end_offers(conn, now).await).await?;
    let full = usize::try_from(SLICE).unwrap_or(usize::MAX);
    Ok(!failed && (due.len() >= full || ended >= full))
}

async fn end_offers(conn: &mut Conn, now: DateTime<Utc>) -> Result<usize, Problem> {
    let ended = quizzes::end_some(conn, SLICE, now).await?;
    for id in &ended {
        points::withdraw_offers(conn, OBJECT_KIND, &id.to_string()).await?;
    }
    Ok(ended.len())
}
