//! Wrong keys repaired by two officers: grades, points, results, analysis and boards follow.

use serde_json::{Value, json};
use sotay::quizzes::regrade_some;

use super::{bank, option, publish, put, quiz, start, submit, write};
use crate::closings::{IN_TIME, close};
use crate::support::{Actor, World, confirmed, points_everywhere, sum_of_entries};

/// The id in the bank of the question with this number.
pub async fn question(officer: &Actor, bank: &str, number: usize) -> Value {
    let list = officer.get(&format!("/v1/question-banks/{bank}/questions")).await.expect(200).body;
    let wanted = format!("Câu hỏi số {number}?");
    list["items"].as_array().unwrap().iter().find(|question| question["text"] == wanted).unwrap()["id"].clone()
}

/// Takes a quiz; the questions with these numbers are answered as the key says.
async fn take(member: &Actor, quiz: &str, right: &[usize]) -> Value {
    let attempt = start(member, quiz).await.expect(201).body;
    let answer = |question: &Value| {
        let as_the_key = right.iter().any(|number| question["text"] == format!("Câu hỏi số {number}?"));
        json!({"question_id": question["id"], "option_ids": [option(question, if as_the_key { "đúng" } else { "sai" })]})
    };
    let answers: Vec<Value> = attempt["questions"].as_array().unwrap().iter().map(answer).collect();
    let id = attempt["id"].as_str().unwrap();
    put(member, &format!("/v1/attempts/{id}/answers"), &json!({"answers": answers})).await.expect(204);
    submit(member, id).await.expect(200).body
}

async fn regrade(world: &World) {
    let state = &world.app.state;
    while regrade_some(&state.work, state.clock.now()).await.unwrap() {}
}

/// A quiz of five questions over a bank of five, and the bank.
async fn five(world: &World, officer: &Actor) -> (String, String) {
    let bank = bank(world, officer, 5).await;
    let id = write(world, officer, &quiz(world, &bank, json!({}))).await.expect(201).id();
    publish(officer, &id).await.expect(200);
    (id, bank)
}

async fn void(world: &World, officer: &Actor, (quiz, bank): (&str, &str), number: usize) {
    let body = json!({"question_id": question(officer, bank, number).await, "reason": "Đáp án ghi sai"});
    let proposed = officer.post(&format!("/v1/quizzes/{quiz}/voids"), &body).await;
    confirmed(&world.committee_officer().await, proposed).await;
}

#[actix_web::test]
async fn a_voided_question_is_right_for_all_and_differences_are_paid() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let (id, bank) = five(&world, &officer).await;
    let (whole, better, passes, fails) =
        (world.member().await, world.member().await, world.member().await, world.member().await);
    take(&whole, &id, &[0, 1, 2, 3, 4]).await;
    let before = take(&better, &id, &[1, 2, 3, 4]).await;
    take(&passes, &id, &[1, 2]).await;
    take(&fails, &id, &[1]).await;
    let running = world.member().await;
    start(&running, &id).await.expect(201);

    void(&world, &officer, (&id, &bank), 0).await;
    regrade(&world).await;

    let mut points = Vec::new();
    for member in [&whole, &better, &passes, &fails] {
        points.push(points_everywhere(&world, member).await);
    }
    assert_eq!(points, [6, 6, 4, 0]);
    let attempt = before["attempt_id"].as_str().unwrap();
    let seen = better.get(&format!("/v1/attempts/{attempt}")).await.expect(200).body;
    assert_eq!((&seen["receipt"]["score"], &seen["receipt"]["points_awarded"]), (&json!(5), &json!(6)));
    assert_eq!(
        submit(&running, start(&running, &id).await.expect(200).body["id"].as_str().unwrap()).await.body["score"],
        1
    );
    let path = format!("/v1/quizzes/{id}/results?unit_id={}", world.cell);
    let results = world.secretary().await.get(&path).await.expect(200).body;
    assert_eq!(results["summary"]["passed"], 3);
    let analysis = officer.get(&format!("/v1/quizzes/{id}/analysis")).await.expect(200).body;
    let voided: Vec<&Value> =
        analysis["items"].as_array().unwrap().iter().filter(|question| question["voided"] == true).collect();
    assert_eq!((voided.len(), &voided[0]["facility"]), (1, &json!(1.0)));
    let mut conn = world.app.state.db.conn().await.unwrap();
    assert_eq!(sotay::quizzes::verify(&mut conn).await.unwrap(), 0);
    assert_eq!(sotay::points::verify(&mut conn, |_, _| {}).await.unwrap(), 0);
    regrade(&world).await;
    assert_eq!(sum_of_entries(&world.app, better.id).await, 6, "once");
}

#[actix_web::test]
async fn of_a_closed_month_differences_are_late_entries() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let (id, bank) = five(&world, &officer).await;
    let member = world.member().await;
    take(&member, &id, &[1, 2, 3, 4]).await;
    world.app.set_time(IN_TIME);
    close(&world.secretary().await, world.cell).await.expect(200);

    void(&world, &officer, (&id, &bank), 0).await;
    regrade(&world).await;

    let entries = member.get("/v1/me/points/entries?period=2026-11").await.expect(200).body;
    let late: Vec<&Value> = entries["items"].as_array().unwrap().iter().filter(|entry| entry["late"] == true).collect();
    assert_eq!((late.len(), &late[0]["points"], &late[0]["rule"]), (1, &json!(1), &json!("quiz_passed")));
    let december = member.get("/v1/me/points").await.expect(200).body;
    assert_eq!(december["points"], 0);
}

#[actix_web::test]
async fn nobody_voids_alone_or_for_their_own_attempt() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let (id, bank) = five(&world, &officer).await;
    let taker = world.officer(world.cell, sotay::kernel::security::access::Role::CommitteeOfficer, world.ward).await;
    take(&taker, &id, &[1]).await;
    let body = json!({"question_id": question(&officer, &bank, 0).await, "reason": "Đáp án ghi sai"});
    let path = format!("/v1/quizzes/{id}/voids");

    let proposed = officer.post(&path, &body).await.expect(202);
    let again = officer.post(&path, &body).await;
    let own = taker.post(&format!("/v1/decisions/{}/confirmation", proposed.id()), &json!({})).await;
    let alone = officer.post(&format!("/v1/decisions/{}/confirmation", proposed.id()), &json!({})).await;
    let foreign = json!({"question_id": world.ward, "reason": "thử"});
    officer.post(&path, &foreign).await.expect(422);
    confirmed(&world.committee_officer().await, proposed).await;
    let twice = officer.post(&path, &body).await;

    assert_eq!((again.status, twice.status, own.status, own.code()), (409, 409, 403, "own_interest"));
    assert_eq!(alone.status, 403);
}
