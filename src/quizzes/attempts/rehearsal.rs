//! Takes a quiz for demo data, by the same steps as a member and at any hour of the past.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;
use crate::quizzes::publishing::store as quizzes;

use super::answers::AttemptAnswer;
use super::frozen;
use super::grading::grade;
use super::start::start;
use super::store;

/// Starts an attempt, answers so many questions as they should be, and submits it after so many seconds.
///
/// # Errors
/// As the steps themselves.
pub async fn take(
    conn: &mut Conn,
    quiz_id: Uuid,
    member_id: Uuid,
    right: usize,
    (at, seconds): (DateTime<Utc>, i64),
) -> Result<(), Problem> {
    let quiz = quizzes::get(conn, quiz_id).await?;
    let (attempt, _) = start(conn, &quiz, member_id, at).await?;
    let questions = attempt.questions()?;
    let asked = frozen::asked(conn, &questions).await?;
    let mut answers = Vec::with_capacity(questions.len());
    for (index, question) in questions.iter().enumerate() {
        let Some(asked) = asked.get(&(question.question_id, question.version)) else { continue };
        let key = asked.right();
        let ticked = question.options.iter().filter(|option| key.contains(&option.of) == (index < right));
        let most = if index < right { key.len() } else { 1 };
        let option_ids = ticked.take(most).map(|option| option.id).collect();
        answers.push(AttemptAnswer { question_id: question.id, option_ids, seq: None });
    }
    let submitted = at + TimeDelta::seconds(seconds);
    store::save(conn, answers.iter().map(|answer| (attempt.id, answer, submitted)).collect()).await?;
    grade(conn, attempt.id, submitted).await?;
    Ok(())
}
