//! The demo's quizzes: a bank of the ward, a quiz that has ended, one that is open, and a contest in its second round.

use chrono::{DateTime, Days, TimeDelta, Utc};
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;
use crate::quizzes::{self, Format, NewBank, NewContest, NewQuiz, QuizDraw, QuizTarget, Reveal, Source};

use super::dice::Dice;
use super::scene::Scene;
use super::story::at;

/// Questions of the bank, as an officer would bring them in.
const QUESTIONS: &str = include_str!("questions.txt");
/// Questions of each quiz.
const ASKED: i64 = 5;
/// Questions of each round of the contest.
const ASKED_IN_ROUND: i64 = 8;
/// How long an attempt takes.
const SECONDS: i64 = 420;
/// Days since the members took the quiz that has ended.
const TAKEN_DAYS_AGO: u64 = 6;
/// Members who took it: every second one who counts, up to this many.
const TAKERS: usize = 60;

/// Makes the bank, both quizzes and the contest; the members of the ward took the first quiz and the first round some days ago.
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
    publish(conn, finished, author, past.0).await?;
    let takers = scene.members.iter().filter(|member| !member.exempt && member.id != author).step_by(2).take(TAKERS);
    let takers: Vec<Uuid> = takers.map(|member| member.id).collect();
    for (minute, member) in (0..).zip(&takers) {
        let right = usize::try_from(1 + dice.roll(5)).unwrap_or(5);
        quizzes::take(conn, finished, *member, right, (at(taken, 8, minute), SECONDS)).await?;
    }
    let open = (now - TimeDelta::hours(1), now + TimeDelta::days(10));
    let open_quiz = quiz(conn, scene.ward, bank_id, author, ("Tìm hiểu sinh hoạt chi bộ, đợt 2", open)).await?;
    publish(conn, open_quiz, author, open.0).await?;
    let first = (past, at(taken, 9, 0));
    let second = ((now - TimeDelta::hours(2), now + TimeDelta::days(4)), now - TimeDelta::minutes(90));
    let rounds = contest(conn, (scene.ward, bank_id, author), [first.0, second.0]).await?;
    let member = scene.account("member");
    for (index, (quiz_id, began)) in rounds.into_iter().zip([first.1, second.1]).enumerate() {
        for (second, taker) in (0..).zip(takers.iter().filter(|taker| index == 0 || **taker != member)) {
            let right = usize::try_from(2 + dice.roll(7)).unwrap_or(8);
            let seconds = 180 + i64::try_from(dice.roll(300)).unwrap_or(0);
            quizzes::take(conn, quiz_id, *taker, right, (began + TimeDelta::seconds(20 * second), seconds)).await?;
        }
    }
    Ok(())
}

/// A contest of the ward with two rounds. Returns their quizzes.
async fn contest(
    conn: &mut Conn,
    (ward, bank_id, author): (Uuid, Uuid, Uuid),
    windows: [(DateTime<Utc>, DateTime<Utc>); 2],
) -> Result<Vec<Uuid>, Problem> {
    let mut quiz_ids = Vec::new();
    for (title, window) in ["Vòng 1", "Vòng 2"].into_iter().zip(windows) {
        let new = NewQuiz {
            source: Source::Draws(vec![QuizDraw { bank_id, count: ASKED_IN_ROUND, topic: None, difficulty: None }]),
            attempts: 1,
            ..of_five(ward, bank_id, (title, window))
        };
        quiz_ids.push(quizzes::draft(conn, &new, author, windows[0].0).await?);
    }
    let title = "Cuộc thi tìm hiểu công tác chi bộ".to_owned();
    let new = NewContest { unit_id: ward, title, quiz_ids: quiz_ids.clone() };
    quizzes::create_contest(conn, &new, author, windows[0].0).await?;
    for (id, window) in quiz_ids.iter().zip(windows) {
        publish(conn, *id, author, window.0).await?;
    }
    Ok(quiz_ids)
}

/// A quiz of five questions for the whole ward.
async fn quiz(
    conn: &mut Conn,
    ward: Uuid,
    bank_id: Uuid,
    author: Uuid,
    (title, window): (&str, (DateTime<Utc>, DateTime<Utc>)),
) -> Result<Uuid, Problem> {
    quizzes::draft(conn, &of_five(ward, bank_id, (title, window)), author, window.0).await
}

fn of_five(
    ward: Uuid,
    bank_id: Uuid,
    (title, (opens_at, closes_at)): (&str, (DateTime<Utc>, DateTime<Utc>)),
) -> NewQuiz {
    NewQuiz {
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
    }
}

/// Publishes a draft when its window begins.
async fn publish(conn: &mut Conn, id: Uuid, author: Uuid, opens_at: DateTime<Utc>) -> Result<(), Problem> {
    let row = quizzes::get_quiz(conn, id).await?;
    quizzes::publish(conn, &row, author, opens_at).await
}
