//! Comprehension questions: they complete a reading, and guessing at them does not pay.

use serde_json::{Value, json};

use super::{aiken, answers, import, put, submit};
use crate::documents::{published, read, recall};
use crate::support::{Actor, Reply, World, points_everywhere};

/// A bank of the ward about a document, with this many questions.
pub async fn questions_of(world: &World, officer: &Actor, document: &str, questions: usize) -> String {
    let path = format!("/v1/units/{}/question-banks", world.ward);
    let bank =
        officer.post(&path, &json!({"title": "Câu hỏi đọc hiểu", "document_id": document})).await.expect(201).id();
    import(officer, &bank, &aiken(0..questions), false).await.expect(200);
    bank
}

async fn start(member: &Actor, document: &str) -> Reply {
    member.post(&format!("/v1/documents/{document}/comprehension"), &json!({})).await
}

async fn answer(member: &Actor, attempt: &Value, right: usize) -> Value {
    let id = attempt["id"].as_str().unwrap();
    put(member, &format!("/v1/attempts/{id}/answers"), &answers(attempt, right)).await.expect(204);
    submit(member, id).await.expect(200).body
}

/// A document of the cell with questions.
async fn document(world: &World, questions: usize) -> (Actor, String) {
    let officer = world.propaganda_officer().await;
    let id = published(world, &officer, json!({})).await;
    questions_of(world, &officer, &id, questions).await;
    (officer, id)
}

fn rules(receipt: &Value) -> Vec<&str> {
    receipt["entries"].as_array().unwrap().iter().map(|entry| entry["rule"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn passing_completes_the_reading_of_a_fast_reader() {
    let world = World::new().await;
    let (officer, id) = document(&world, 6).await;
    let member = world.member().await;
    let attempt = start(&member, &id).await.expect(201).body;

    let resumed = start(&member, &id).await.expect(200).body;
    let receipt = answer(&member, &attempt, 4).await;

    assert_eq!(
        (&resumed["id"], &attempt["document_id"], &attempt["quiz_id"]),
        (&attempt["id"], &json!(id), &Value::Null)
    );
    assert_eq!((&receipt["passed"], &receipt["points_awarded"]), (&json!(true), &json!(4)));
    assert_eq!(rules(&receipt), ["document_read", "comprehension_passed"]);
    assert_eq!(points_everywhere(&world, &member).await, 4);
    let readers = officer.get(&format!("/v1/documents/{id}/readership?unit_id={}", world.cell)).await;
    assert!(readers.status == 200 || readers.status == 422, "{:?}", readers.body);
    let library = member.get("/v1/documents").await.expect(200).body;
    assert!(library["items"][0].to_string().contains("\"read\":true"), "{}", library["items"][0]);
    assert_eq!(start(&member, &id).await.code(), "conflict");
    let mut conn = world.app.state.db.conn().await.unwrap();
    assert_eq!(sotay::quizzes::verify(&mut conn).await.unwrap(), 0);
}

#[actix_web::test]
async fn who_has_read_earns_the_questions_alone_and_reads_no_second_time() {
    let world = World::new().await;
    let (_, id) = document(&world, 5).await;
    let member = world.member().await;
    read(&world, &member, &id).await;
    let attempt = start(&member, &id).await.expect(201).body;

    let receipt = answer(&member, &attempt, 5).await;

    assert_eq!(
        (rules(&receipt), &receipt["refusals"][0]["reason"]),
        (vec!["comprehension_passed"], &json!("already_credited"))
    );
    assert_eq!(points_everywhere(&world, &member).await, 4);
}

#[actix_web::test]
async fn a_failure_brings_a_pause_other_questions_and_no_verdict() {
    let world = World::new().await;
    let (_, id) = document(&world, 10).await;
    let member = world.member().await;
    let first = start(&member, &id).await.expect(201).body;
    let receipt = answer(&member, &first, 3).await;
    let seen = member.get(&format!("/v1/attempts/{}", first["id"].as_str().unwrap())).await.expect(200).body;

    let early = start(&member, &id).await;
    world.app.advance(31 * 60);
    let second = start(&member, &id).await.expect(201).body;

    assert_eq!((&receipt["passed"], &receipt["points_awarded"]), (&json!(false), &json!(0)));
    assert_eq!((early.status, early.code()), (409, "attempt_too_soon"));
    let texts = |attempt: &Value| {
        let questions = attempt["questions"].as_array().unwrap().iter();
        questions
            .map(|question| question["text"].as_str().unwrap().to_owned())
            .collect::<std::collections::HashSet<_>>()
    };
    assert!(texts(&first).is_disjoint(&texts(&second)), "other questions come first");
    for word in ["correct", "explanation", "right"] {
        assert!(!seen.to_string().contains(word), "{word}: {seen}");
    }
    answer(&member, &second, 0).await;
    world.app.advance(31 * 60);
    let third = start(&member, &id).await.expect(201).body;
    answer(&member, &third, 0).await;
    world.app.advance(31 * 60);
    let fourth = start(&member, &id).await;
    assert_eq!((fourth.status, fourth.code()), (409, "attempts_used_up"));
    assert_eq!(points_everywhere(&world, &member).await, 0);
    world.app.set_time("2026-11-21T02:00:00Z");
    start(&member, &id).await.expect(201);
}

#[actix_web::test]
async fn who_saw_the_key_earns_nothing() {
    let world = World::new().await;
    let officer = world.officer(world.cell, sotay::kernel::security::access::Role::PropagandaOfficer, world.ward).await;
    let id = published(&world, &officer, json!({})).await;
    questions_of(&world, &officer, &id, 5).await;

    let attempt = start(&officer, &id).await.expect(201).body;
    let receipt = answer(&officer, &attempt, 5).await;

    assert_eq!(
        (&attempt["practice"], &receipt["practice"], &receipt["points_awarded"]),
        (&json!(true), &json!(true), &json!(0))
    );
    assert_eq!(points_everywhere(&world, &officer).await, 0);
}

#[actix_web::test]
async fn a_document_recalled_meanwhile_and_one_without_questions_earn_nothing() {
    let world = World::new().await;
    let (officer, id) = document(&world, 5).await;
    let member = world.member().await;
    let attempt = start(&member, &id).await.expect(201).body;
    recall(&officer, &id).await.expect(200);

    let receipt = answer(&member, &attempt, 5).await;
    let without = published(&world, &officer, json!({"symbol": "99-KH/ĐU", "title": "Kế hoạch khác"})).await;

    assert_eq!((&receipt["passed"], &receipt["points_awarded"]), (&json!(true), &json!(0)));
    assert_eq!(points_everywhere(&world, &member).await, 0);
    start(&member, &id).await.expect(404);
    start(&member, &without).await.expect(422);
    start(&world.outsider().await, &without).await.expect(404);
    let mut conn = world.app.state.db.conn().await.unwrap();
    assert_eq!(sotay::quizzes::verify(&mut conn).await.unwrap(), 0);
}
