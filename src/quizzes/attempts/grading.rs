//! Grading an attempt: as a whole, once, in the same transaction as its points.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::outbox;
use crate::organisation::cell_of;
use crate::points::{self, Award, Deed};
use crate::quizzes::publishing::store as quizzes;
use crate::quizzes::contests::scores;
use crate::quizzes::{OBJECT_KIND, exposure};

use super::model::{is_right, percent};
use super::output::AttemptReceipt;
use super::store::{self, AttemptRow, Grade};

/// What rules listen to.
const PASSED: &str = "quiz.passed";
/// The same of a round of a contest.
const ENTERED: &str = "contest.entered";
/// Earns nothing; asks the engine where the member stands.
const TAKEN: &str = "quiz.taken";

/// Grades an attempt with what was saved. One that is graded already keeps its receipt. Whatever the hour at which the
/// server comes to it, an attempt counts at its deadline at the latest.
pub async fn grade(conn: &mut Conn, attempt_id: Uuid, now: DateTime<Utc>) -> Result<Value, Problem> {
    let seen = store::get(conn, attempt_id).await?;
    let at = now.min(seen.expires_at);
    // The month comes before anything else of the member.
    points::lock_month(conn, seen.member_id, at).await?;
    let attempt = store::lock(conn, attempt_id).await?;
    if let Some(receipt) = attempt.receipt {
        return Ok(receipt);
    }
    let quiz = quizzes::get(conn, attempt.quiz_id).await?;
    let questions = attempt.questions()?;
    let (asked, saved) = (store::asked(conn, &questions).await?, store::saved(conn, attempt_id).await?);
    let right = questions.iter().filter(|question| {
        let asked = asked.get(&(question.question_id, question.version));
        asked.is_some_and(|asked| is_right(question, &saved, &asked.right()))
    });
    let score = i32::try_from(right.count()).unwrap_or(0);
    let max_score = i32::try_from(questions.len()).unwrap_or(i32::MAX);
    let percent = percent(score, max_score);
    let passed = percent >= quiz.pass_percent;
    let practice = quiz.practice || exposure::of_quiz(conn, quiz.id, attempt.member_id).await?;
    let credited = passed && !practice && !store::has_passed(conn, quiz.id, attempt.member_id).await?;
    let event = if quiz.contest_id.is_some() { ENTERED } else { PASSED };
    let award = award(conn, &attempt, credited.then_some((event, percent)), at).await?;
    let grade = Grade {
        at,
        expired: now > attempt.expires_at,
        practice,
        credited,
        unit_id: cell_of(conn, attempt.member_id, day_of(at)).await?,
        score,
        percent,
        passed,
        seconds: i32::try_from((at - attempt.started_at).num_seconds().max(0)).unwrap_or(i32::MAX),
        points: award.as_ref().map_or(0, |award| award.points_awarded),
    };
    let receipt = AttemptReceipt::new(&attempt, &grade, max_score, award);
    let receipt = serde_json::to_value(receipt).map_err(Problem::internal)?;
    store::finish(conn, attempt_id, &grade, &receipt).await?;
    if let Some(contest_id) = quiz.contest_id {
        scores::follow(conn, contest_id, attempt.member_id).await?;
    }
    let payload = serde_json::json!({"attempt_id": attempt_id, "quiz_id": quiz.id});
    outbox::emit(conn, "quiz.submitted", payload, now).await?;
    Ok(receipt)
}

/// What the attempt earns; none for a member who belongs to no cell any more.
async fn award(
    conn: &mut Conn,
    attempt: &AttemptRow,
    credited: Option<(&'static str, i32)>,
    at: DateTime<Utc>,
) -> Result<Option<Award>, Problem> {
    let deed = Deed {
        event: credited.map_or(TAKEN, |(event, _)| event),
        object_kind: OBJECT_KIND,
        object_id: attempt.quiz_id.to_string(),
        percent: credited.map(|(_, percent)| percent),
        ..Deed::default()
    };
    match points::award(conn, attempt.member_id, &deed, at).await {
        Ok(award) => Ok(Some(award)),
        Err(problem) if problem.code == Code::Forbidden => Ok(None),
        Err(problem) => Err(problem),
    }
}
