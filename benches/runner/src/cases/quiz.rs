//! P11 and P12: a quiz that thousands begin at the same moment, and what saving an answer costs.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cases::awards::{self, ms};
use crate::cases::{Bench, CONNECTIONS};
use crate::load::{Outcome, Plan};
use crate::measure::paired;
use crate::report::Figure;
use crate::server::{self, Server};

const DATABASE: &str = "quiz";
const RUSH_CONNECTIONS: usize = 256;
const QUESTIONS: usize = 30;
/// Who takes the quiz.
const TAKERS: usize = 5_000;
const START_SECONDS: f64 = 10.0;
const ANSWER_SECONDS: f64 = 60.0;
/// So many answer at the same time, question by question.
const GROUP: usize = 500;
/// Members who submit without an answer, so that the others submit after their last one.
const AHEAD: usize = 2 * GROUP;
const PROVINCE: &str = "SELECT id FROM units WHERE kind = 'province' ORDER BY id LIMIT 1";
/// The options that a member ticks: of each question the one that comes first.
const ANSWERS: &str = "
    SELECT a.member_id || E'\\t' || a.id || E'\\t' || (i ->> 'id') || E'\\t' || (i -> 'options' -> 0 ->> 'id')
    FROM quiz_attempts a CROSS JOIN LATERAL jsonb_array_elements(a.items) WITH ORDINALITY AS t (i, n) ORDER BY a.id, n";

/// P11: all start within ten seconds, answer everything within a minute, and submit within it.
pub async fn start_gun(bench: &Bench<'_>) -> Result<Vec<Figure>, String> {
    bench.fresh(DATABASE).await?;
    let server = bench.product(DATABASE, &[]).await?;
    let started = start(bench, &server, TAKERS + AHEAD).await?;
    let lines = answers(bench, true).await?;
    let (submitting, answering) = lines.split_at(AHEAD * QUESTIONS);
    let mut people: Vec<&str> = answering.iter().map(String::as_str).collect();
    // One line of each attempt is enough to submit it.
    people.extend(submitting.iter().chain(answering).step_by(QUESTIONS).map(String::as_str));
    let mut rows = interleaved(&people[..answering.len()]);
    rows.extend(people[answering.len()..].iter().map(|line| (*line).to_owned()));
    let file = write(bench, "quiz.answers", &rows)?;
    let first = answering.len();
    let rate = count(answering.len() + TAKERS) / ANSWER_SECONDS;
    let plan = Plan::new(&file, RUSH_CONNECTIONS, 0.0, ANSWER_SECONDS)
        .paced(rate)
        .kind(save(count(QUESTIONS), 0, first))
        .kind(json!({
            "name": "submission", "method": "POST", "path": "/v1/attempts/{1}/submission", "once": true, "from": first,
            "headers": ["Authorization: Bearer {0}"], "share": 1.0, "expect": "\"percent\"",
        }));
    let outcome = plan.run(&bench.programs, server.address).await?;
    server.stop().await?;
    prove(bench, &outcome).await?;
    let p99 = |name: &str| outcome.kinds.get(name).map_or(f64::NAN, |kind| ms(kind.p99));
    Ok(vec![
        Figure::plain("P11 start", ms(started.all.p99)),
        Figure::plain("P11 answers", p99("answer")),
        Figure::plain("P11 submission", p99("submission")),
    ])
}

/// P12: answers saved a second against awards a second, both as fast as they are answered.
pub async fn answers_against_awards(bench: &Bench<'_>) -> Result<Vec<Figure>, String> {
    let visits = awards::plan(bench);
    let found = paired(
        bench.pairs,
        async || awards::awards(bench, &visits, &[]).await,
        async || {
            bench.fresh(DATABASE).await?;
            let server = bench.product(DATABASE, &[]).await?;
            start(bench, &server, TAKERS).await?;
            let file = write(bench, "quiz.answers", &answers(bench, false).await?)?;
            let plan = Plan::new(&file, CONNECTIONS, 1.0, bench.seconds).kind(save(1.0, 0, TAKERS * QUESTIONS));
            let outcome = plan.run(&bench.programs, server.address).await?;
            server.stop().await?;
            Ok(outcome.all.per_second)
        },
    )
    .await?;
    Ok(vec![Figure::compared("P12", found, 1.0)])
}

fn save(share: f64, from: usize, to: usize) -> Value {
    json!({
        "name": "answer", "method": "PUT", "path": "/v1/attempts/{1}/answers/{2}", "once": true, "status": 204,
        "from": from, "to": to, "share": share, "body": "{\"option_ids\":[\"{3}\"]}",
        "headers": ["Authorization: Bearer {0}", "Content-Type: application/json"],
    })
}

/// Makes a quiz for the province and has members start it.
async fn start(bench: &Bench<'_>, server: &Server, takers: usize) -> Result<Outcome, String> {
    let province = bench.postgres.sql(DATABASE, PROVINCE).await?;
    let token = bench.officer(DATABASE, &province, "propaganda_officer").await?;
    let quiz = publish(server, &province, &token, bench).await?;
    let people = fs::read_to_string(&bench.people).map_err(|e| e.to_string())?;
    // The first one has made the quiz.
    let lines: Vec<String> = people.lines().skip(1).take(takers).map(str::to_owned).collect();
    let file = write(bench, "quiz.takers", &lines)?;
    let plan = Plan::new(&file, RUSH_CONNECTIONS, 0.0, START_SECONDS + 5.0).paced(count(takers) / START_SECONDS);
    let plan = plan.kind(json!({
        "name": "start", "method": "POST", "path": format!("/v1/quizzes/{quiz}/attempts"), "once": true, "status": 201,
        "headers": ["Authorization: Bearer {0}"], "expect": "\"expires_at\"",
    }));
    let outcome = plan.run(&bench.programs, server.address).await?;
    let there = bench.postgres.number(DATABASE, "SELECT count(*) FROM quiz_attempts").await?;
    let expected = u64::try_from(takers).unwrap_or(u64::MAX);
    if there != expected { Err(format!("{there} attempts of {expected}")) } else { Ok(outcome) }
}

/// A quiz of thirty questions out of sixty, open for two hours.
async fn publish(server: &Server, province: &str, token: &str, bench: &Bench<'_>) -> Result<String, String> {
    let call = async |line: String, media: &str, body: String| {
        let answer =
            server::send(server.address, &line, Some(token), (media, &body)).await.map_err(|e| e.to_string())?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        let json = body.find('{').map_or("", |from| &body[from..=body.rfind('}').unwrap_or(from)]);
        if !head.starts_with("HTTP/1.1 20") {
            return Err(format!("{line}: {answer}"));
        }
        serde_json::from_str::<Value>(json).map_err(|e| format!("{line}: {e}: {body}"))
    };
    let json_type = "application/json";
    let bank = json!({"title": "Ngân hàng câu hỏi đo tốc độ"}).to_string();
    let bank = call(format!("POST /v1/units/{province}/question-banks"), json_type, bank).await?;
    let bank = bank["id"].as_str().unwrap_or_default().to_owned();
    let question = |n| {
        format!(
            "Câu hỏi số {n} hỏi điều gì?\nA. Điều thứ nhất\nB. Điều thứ hai\nC. Điều thứ ba\nD. Điều thứ tư\nANSWER: A\n"
        )
    };
    let file: Vec<String> = (1..=2 * QUESTIONS).map(question).collect();
    call(format!("POST /v1/question-banks/{bank}/imports?format=aiken"), "text/plain", file.join("\n")).await?;
    let window =
        "SELECT json_build_object('opens_at', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
        'closes_at', to_char((now() + interval '2 hours') AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'))";
    let window: Value =
        serde_json::from_str(&bench.postgres.sql(DATABASE, window).await?).map_err(|e| e.to_string())?;
    let quiz = json!({
        "title": "Tìm hiểu Điều lệ Đảng", "draws": [{"bank_id": bank, "count": QUESTIONS}], "minutes": 60,
        "pass_percent": 50, "attempts": 1, "targets": [{"unit_id": province}],
        "opens_at": window["opens_at"], "closes_at": window["closes_at"],
    });
    let quiz = call(format!("POST /v1/units/{province}/quizzes"), json_type, quiz.to_string()).await?;
    let quiz = quiz["id"].as_str().unwrap_or_default().to_owned();
    call(format!("POST /v1/quizzes/{quiz}/publication"), json_type, "{}".to_owned()).await?;
    Ok(quiz)
}

/// Token, attempt, question and option of each answer: attempt by attempt, or question by question.
async fn answers(bench: &Bench<'_>, by_attempt: bool) -> Result<Vec<String>, String> {
    let people = fs::read_to_string(&bench.people).map_err(|e| e.to_string())?;
    let tokens: std::collections::HashMap<&str, &str> = people
        .lines()
        .filter_map(|line| {
            let mut columns = line.split('\t');
            let token = columns.next()?;
            Some((columns.next()?, token))
        })
        .collect();
    let rows = bench.postgres.sql(DATABASE, ANSWERS).await?;
    let lines: Vec<String> = rows
        .lines()
        .filter_map(|row| {
            let (member, rest) = row.split_once('\t')?;
            Some(format!("{}\t{rest}", tokens.get(member)?))
        })
        .collect();
    if by_attempt {
        return Ok(lines);
    }
    let of_question = |n| lines.iter().skip(n).step_by(QUESTIONS).cloned();
    Ok((0..QUESTIONS).flat_map(of_question).collect())
}

/// Answers as a group gives them at the same time, question by question, one group after another.
fn interleaved(lines: &[&str]) -> Vec<String> {
    let group = |lines: &[&str]| -> Vec<String> {
        let of_question = |n| lines.iter().skip(n).step_by(QUESTIONS).map(|line| (*line).to_owned());
        (0..QUESTIONS).flat_map(of_question).collect()
    };
    lines.chunks(GROUP * QUESTIONS).flat_map(group).collect()
}

/// Every answer that was confirmed is there, and every submission graded once.
async fn prove(bench: &Bench<'_>, outcome: &Outcome) -> Result<(), String> {
    let saved = bench.postgres.number(DATABASE, "SELECT count(*) FROM quiz_answers").await?;
    let graded =
        bench.postgres.number(DATABASE, "SELECT count(*) FROM quiz_attempts WHERE submitted_at IS NOT NULL").await?;
    let confirmed = |name: &str| outcome.kinds.get(name).map_or(0, |kind| kind.completed);
    if (saved, graded) == (confirmed("answer"), confirmed("submission")) {
        eprintln!("  {saved} answers and {graded} submissions, each in the database");
        return Ok(());
    }
    Err(format!(
        "{saved} answers and {graded} submissions in the database, {} and {} confirmed",
        confirmed("answer"),
        confirmed("submission")
    ))
}

fn write(bench: &Bench<'_>, name: &str, lines: &[String]) -> Result<PathBuf, String> {
    let path: PathBuf = Path::new(&bench.place.path).join(name);
    fs::write(&path, lines.join("\n")).map_err(|e| e.to_string())?;
    Ok(path)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn count(n: usize) -> f64 {
    n as f64
}
