//! Starting comprehension questions: other questions each time, with a pause between two attempts.

use aws_lc_rs::rand;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::ids::new_id;
use crate::quizzes::attempts::answers::is_over;
use crate::quizzes::attempts::grading::grade;
use crate::quizzes::attempts::model::{PoolQuestion, draw};
use crate::quizzes::attempts::start::too_soon;
use crate::quizzes::attempts::store::{AttemptRow, open};

use super::model::{ATTEMPTS_A_DAY, AskableQuestion, COOLDOWN_MINUTES, MINUTES, asked, counts};
use super::store;

/// Opens an attempt at a version of a document, or returns the one that is open. The second part says whether it is new.
///
/// # Errors
/// 409 during the pause, when the day's attempts are used up and when the member has passed; 422 when there are too few questions.
pub async fn start(
    conn: &mut Conn,
    (document_id, version): (Uuid, i32),
    member_id: Uuid,
    now: DateTime<Utc>,
) -> Result<(AttemptRow, bool), Problem> {
    if let Some(open) = store::recent(conn, document_id, member_id).await?.pop().filter(AttemptRow::is_open) {
        if !is_over(open.expires_at, now) {
            return Ok((open, false));
        }
        grade(conn, open.id, now).await?;
    }
    if store::has_passed(conn, document_id, member_id).await? {
        let (vi, en) = ("Đồng chí đã trả lời đạt các câu hỏi này.", "These questions are answered already.");
        return Err(Problem::with(Code::Conflict, vi, en));
    }
    let attempts = store::recent(conn, document_id, member_id).await?;
    require_turn(&attempts, now)?;
    let (questions, counts) = choose(conn, document_id, &attempts).await?;
    let mut seed = [0; 32];
    rand::fill(&mut seed).map_err(Problem::internal)?;
    let drawn = draw(&seed, &questions, &counts);
    let number = attempts.last().map_or(1, |attempt| attempt.number + 1);
    let id = new_id(now);
    let times = (now, now + TimeDelta::minutes(MINUTES));
    let new = store::new_attempt((id, number, &seed), (document_id, version), member_id, &drawn, times);
    let opened = open(conn, &new).await?;
    // Another phone of the member may have been faster: then its attempt is the one.
    let attempt = store::recent(conn, document_id, member_id).await?.pop().filter(AttemptRow::is_open);
    attempt.map(|attempt| (attempt, opened)).ok_or_else(|| Problem::repeatable("an attempt ended while it was opened"))
}

async fn choose(
    conn: &mut Conn,
    document_id: Uuid,
    attempts: &[AttemptRow],
) -> Result<(Vec<PoolQuestion>, Vec<usize>), Problem> {
    let mut earlier = Vec::with_capacity(attempts.len());
    for attempt in attempts {
        earlier.push(attempt.questions()?.into_iter().map(|question| question.question_id).collect());
    }
    let questions = store::questions(conn, document_id).await?.into_iter();
    let questions: Vec<AskableQuestion> =
        questions.map(|question| AskableQuestion { asked: asked(question.question_id, &earlier), question }).collect();
    let Some(counts) = counts(&questions) else {
        let (vi, en) = ("Tài liệu chưa có đủ câu hỏi.", "The document does not have enough questions.");
        return Err(Problem::with(Code::RuleNotMet, vi, en));
    };
    let questions = questions.into_iter().map(|askable| PoolQuestion { draw: askable.asked, ..askable.question });
    Ok((questions.collect(), counts))
}

fn require_turn(attempts: &[AttemptRow], now: DateTime<Utc>) -> Result<(), Problem> {
    let today = attempts.iter().filter(|attempt| day_of(attempt.started_at) == day_of(now)).count();
    if today >= ATTEMPTS_A_DAY {
        return Err(Problem::with(
            Code::AttemptsUsedUp,
            "Đã hết số lần trả lời trong ngày; hãy đọc tài liệu và trả lời vào ngày mai.",
            "All attempts of the day are used up: read the document and answer tomorrow.",
        ));
    }
    let again = attempts.last().and_then(|last| last.submitted_at).map(|at| at + TimeDelta::minutes(COOLDOWN_MINUTES));
    again.filter(|again| *again > now).map_or(Ok(()), |again| Err(too_soon(again, now)))
}
