//! Starting an attempt: the window, the number of attempts and the pause between them decide.

use aws_lc_rs::rand;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::ids::new_id;
use crate::quizzes::publishing::extensions::extra_minutes;
use crate::quizzes::publishing::pool::counts;
use crate::quizzes::publishing::store::QuizRow;

use super::answers::is_over;
use super::frozen;
use super::grading::grade;
use super::model::draw;
use super::store::{self, AttemptRow, NewAttempt};

/// Opens an attempt, or returns the one that is open. The second part says whether it is new.
///
/// # Errors
/// 409 outside the window, when all attempts are used up, and during the pause.
pub async fn start(
    conn: &mut Conn,
    quiz: &QuizRow,
    member_id: Uuid,
    now: DateTime<Utc>,
) -> Result<(AttemptRow, bool), Problem> {
    let attempts = store::of_member(conn, quiz.id, member_id).await?;
    let open = attempts.iter().find(|attempt| attempt.submitted_at.is_none());
    if let Some(open) = open {
        if !is_over(open.expires_at, now) || open.paper_waits {
            return Ok((open.clone(), false));
        }
        // Its time is over: it counts as used, with what was saved.
        grade(conn, open.id, now).await?;
    }
    require_window(quiz, now)?;
    let last = store::of_member(conn, quiz.id, member_id).await?.pop();
    require_turn(quiz, last.as_ref(), now)?;
    let minutes = quiz.minutes + extra_minutes(conn, quiz.id, member_id).await?;
    let number = last.map_or(1, |attempt| attempt.number + 1);
    let mut seed = [0; 32];
    rand::fill(&mut seed).map_err(Problem::internal)?;
    let counts: Vec<usize> =
        counts(&quiz.source()?).into_iter().map(|count| usize::try_from(count).unwrap_or(0)).collect();
    let questions = draw(&seed, &frozen::pool(conn, quiz.id).await?, &counts);
    let new = NewAttempt {
        id: new_id(now),
        quiz_id: Some(quiz.id),
        document: None,
        member_id,
        number,
        seed: &seed,
        questions: &questions,
        started_at: now,
        expires_at: (now + TimeDelta::minutes(minutes.into())).min(quiz.closes_at),
    };
    let opened = store::open(conn, &new).await?;
    // Another phone of the member may have been faster: then its attempt is the one.
    let attempts = store::of_member(conn, quiz.id, member_id).await?;
    let open = attempts.into_iter().rfind(|attempt| attempt.submitted_at.is_none());
    open.map(|attempt| (attempt, opened)).ok_or_else(|| Problem::repeatable("an attempt ended while it was opened"))
}

fn require_window(quiz: &QuizRow, now: DateTime<Utc>) -> Result<(), Problem> {
    if now < quiz.opens_at {
        return Err(Problem::with(Code::QuizNotOpen, "Bài thi chưa mở.", "The quiz has not opened yet."));
    }
    if now >= quiz.closes_at {
        return Err(Problem::with(Code::QuizNotOpen, "Bài thi đã kết thúc.", "The quiz has ended."));
    }
    Ok(())
}

fn require_turn(quiz: &QuizRow, last: Option<&AttemptRow>, now: DateTime<Utc>) -> Result<(), Problem> {
    let Some(last) = last else { return Ok(()) };
    if last.number >= quiz.attempts {
        return Err(Problem::new(Code::AttemptsUsedUp));
    }
    let again = last.submitted_at.map(|at| at + TimeDelta::minutes(quiz.cooldown_minutes.into()));
    match again.filter(|again| *again > now) {
        Some(again) => Err(too_soon(again, now)),
        None => Ok(()),
    }
}

/// The refusal during the pause between two attempts.
pub fn too_soon(again: DateTime<Utc>, now: DateTime<Utc>) -> Problem {
    let seconds = u64::try_from((again - now).num_milliseconds()).unwrap_or(0).div_ceil(1000);
    let minutes = seconds.div_ceil(60);
    let problem = Problem::with(
        Code::AttemptTooSoon,
        format!("Hãy đợi {minutes} phút nữa rồi làm lại."),
        format!("Wait for {minutes} more minute(s) before the next attempt."),
    );
    problem.retry_after(seconds)
}
