//! The demo's quizzes: a bank of the ward, a quiz that has ended, and one that is open.

use chrono::{DateTime, Days, TimeDelta, Utc};
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;
use crate::quizzes::{self, Format, NewBank, NewQuiz, QuizDraw, QuizTarget, Reveal, Source};

use super::dice::Dice;
use super::scene::Scene;
use super::story::at;

/// Questions of the bank, as an officer would bring them in.
const QUESTIONS: &str = include_str!("questions.txt");
/// Questions of each quiz.
const ASKED: i64 = 5;
/// Days since the members took the quiz that has ended.
const TAKEN_DAYS_AGO: u64 = 6;
/// Members who took it: every second one who counts, up to this many.
const TAKERS: usize = 60;

/// Makes the bank and both quizzes; the members of the ward took the first of them some days ago.
pub async fn add(conn: &mut Conn, scene: &Scene, dice: &mut Dice, now: DateTime<Utc>) -> Result<(), Problem> {
    let author = scene.account("propaganda_officer");
    let taken = day_of(now) - Days::new(TAKEN_DAYS_AGO);
    let opened = at(taken - Days::new(1), 7, 30);
    let new =
        NewBank {
            unit_id: scene.ward, title: "Sinh hoạt chi bộ và công tác đảng viên".to_owned(), document_id: None
        };
    let bank_id = quizzes::create_bank(conn, &new, author, opened).await?;
    let reading = quizzes::read_questions(Format::Aiken, QUESTIONS.as_bytes()).map_err(Problem::internal)?;
    quizzes::stock_bank(conn, bank_id, &reading, author, opened).await?;
    let past = (opened, at(taken, 21, 0));
    let finished = quiz(conn, scene.ward, bank_id, author, ("Tìm hiểu sinh hoạt chi bộ, đợt 1", past)).await?;
    let takers = scene.members.iter().filter(|member| !member.exempt && member.id != author).step_by(2).take(TAKERS);
    for (minute, member) in (0..).zip(takers) {
        let right = usize::try_from(1 + dice.roll(5)).unwrap_or(5);
        quizzes::take(conn, finished, member.id, right, at(taken, 8, minute)).await?;
    }
    let open = (now - TimeDelta::hours(1), now + TimeDelta::days(10));
    quiz(conn, scene.ward, bank_id, author, ("Tìm hiểu sinh hoạt chi bộ, đợt 2", open)).await?;
    Ok(())
}

/// A quiz of five questions for the whole ward, published when it opens.
async fn quiz(
    conn: &mut Conn,
    ward: Uuid,
    bank_id: Uuid,
    author: Uuid,
    (title, (opens_at, closes_at)): (&str, (DateTime<Utc>, DateTime<Utc>)),
) -> Result<Uuid, Problem> {
    let new = NewQuiz {
        unit_id: ward,
        title: title.to_owned(),
        source: Source::Draws(vec![QuizDraw { bank_id, count: ASKED, topic: None, difficulty: None }]),
        minutes: 15,
        pass_percent: 50,
        attempts: 2,
        cooldown_minutes: 10,
        practice: false,
        reveal: Reveal::AfterWindow,
        opens_at,
        closes_at,
        targets: vec![QuizTarget { unit_id: Some(ward), member_id: None }],
    };
    let id = quizzes::draft(conn, &new, author, opens_at).await?;
    let row = quizzes::get_quiz(conn, id).await?;
    quizzes::publish(conn, &row, author, opens_at).await?;
    Ok(id)
}
