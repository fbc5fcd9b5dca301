//! The program killed between answers and at submission: an attempt goes on where it was, is graded once and paid once.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{answers, bank, publish, quiz, start, write};
use crate::support::{Actor, Program, Reply, Request, TestApp, World, sum_of_entries};

const ROUNDS: usize = 20;
const MEMBERS: usize = 6;

/// A request with a key; none when the program died before it answered.
async fn send(base_url: &str, member: &Actor, method: &str, path: &str, body: &Value) -> Option<Reply> {
    let request = Request::new(method, &format!("{base_url}{path}")).token(&member.token);
    request.json(body).try_send().await
}

/// Saves answers one by one and submits. Returns which were acknowledged, and the receipt.
async fn take(base_url: String, member: &Actor, attempt: &Value) -> (Vec<Value>, Option<Value>) {
    let id = attempt["id"].as_str().unwrap();
    let mut acknowledged = Vec::new();
    for answer in answers(attempt, 5)["answers"].as_array().unwrap() {
        let path = format!("/v1/attempts/{id}/answers/{}", answer["question_id"].as_str().unwrap());
        let body = json!({"option_ids": answer["option_ids"]});
        match send(&base_url, member, "PUT", &path, &body).await {
            Some(reply) if reply.status == 204 => acknowledged.push(answer["question_id"].clone()),
            _ => return (acknowledged, None),
        }
    }
    let submitted = send(&base_url, member, "POST", &format!("/v1/attempts/{id}/submission"), &json!({})).await;
    (acknowledged, submitted.filter(|reply| reply.status == 200).map(|reply| reply.body))
}

#[actix_web::test]
async fn twenty_kills_lose_no_answer_and_grade_once() {
    let world = World::in_app(TestApp::on_system_clock().await).await;
    let officer = world.propaganda_officer().await;
    let bank = bank(&world, &officer, 8).await;
    let now = world.app.state.clock.now();
    let window = json!({"opens_at": now - TimeDelta::hours(1), "closes_at": now + TimeDelta::days(1)});
    let id = write(&world, &officer, &quiz(&world, &bank, window)).await.expect(201).id();
    publish(&officer, &id).await.expect(200);
    let mut whole = Duration::from_secs(10);
    let (mut answered, mut graded) = (0, 0);
    for round in 0..ROUNDS {
        let mut attempts = Vec::new();
        for _ in 0..MEMBERS {
            let member = world.member().await;
            attempts.push((start(&member, &id).await.expect(201).body, member));
        }
        let program = Program::start(&world.app).await;
        let taking = join_all(attempts.iter().map(|(attempt, member)| take(program.base_url.clone(), member, attempt)));
        let begun = Instant::now();
        let axe = tokio::time::sleep(whole.mul_f64(if round == 0 { 1.0 } else { round as f64 / ROUNDS as f64 }));
        tokio::pin!(taking);
        let early = tokio::select! {
            done = &mut taking => Some(done),
            () = axe => None,
        };
        program.kill();
        if round == 0 {
            whole = begun.elapsed();
        }
        let done = match early {
            Some(done) => done,
            None => taking.await,
        };
        for ((attempt, member), (acknowledged, receipt)) in attempts.iter().zip(&done) {
            let attempt_id = attempt["id"].as_str().unwrap();
            let seen = member.get(&format!("/v1/attempts/{attempt_id}")).await.expect(200).body;
            let saved: Vec<&Value> =
                seen["answers"].as_array().unwrap().iter().map(|answer| &answer["question_id"]).collect();
            assert!(acknowledged.iter().all(|question| saved.contains(&question)), "acknowledged and lost");
            assert!(receipt.is_none() || seen["receipt"] == *receipt.as_ref().unwrap(), "graded and lost");
            answered += acknowledged.len();
            graded += usize::from(receipt.is_some());
        }
        // It goes on where it was: the same questions, another instance of the program.
        for (attempt, member) in &attempts {
            let base = world.app.base_url.clone();
            let ended = take(base, member, attempt).await.1;
            let again = super::submit(member, attempt["id"].as_str().unwrap()).await.expect(200).body;
            assert_eq!(again["percent"], 100);
            assert!(ended.is_none() || ended == Some(again), "one grade");
            assert_eq!(sum_of_entries(&world.app, member.id).await, 6, "one award");
        }
    }
    assert!(answered > 0 && graded > 0, "no kill came after an acknowledgement: the test proves nothing");
    let mut conn = world.app.state.db.conn().await.unwrap();
    assert_eq!(sotay::quizzes::verify(&mut conn).await.unwrap(), 0);
}
