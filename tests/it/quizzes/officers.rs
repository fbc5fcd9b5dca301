//! What officers of quizzes do besides: more time, single questions, review, reminders, what must not be told apart.

use serde_json::{Value, json};
use sotay::kernel::security::access::Role;

use super::voids::question;
use super::{aiken, answers, bank, import, publish, published, put, quiz, start, submit, take, write};
use crate::documents::{published as published_document, recall};
use crate::support::{Actor, World};

#[actix_web::test]
async fn a_named_member_has_more_time_when_it_is_given_beforehand() {
    let world = World::new().await;
    let id = published(&world, json!({})).await;
    let officer = world.propaganda_officer().await;
    let (member, other) = (world.member().await, world.member().await);
    let path = format!("/v1/quizzes/{id}/extensions");
    let more = |id| json!({"member_id": id, "extra_minutes": 30, "reason": "Mắt kém"});
    officer.post(&path, &more(member.id)).await.expect(201);

    let (slow, quick) = (start(&member, &id).await.expect(201).body, start(&other, &id).await.expect(201).body);
    let late = officer.post(&path, &more(other.id)).await;
    world.app.advance(40 * 60);
    let attempt = format!("/v1/attempts/{}/answers", slow["id"].as_str().unwrap());
    put(&member, &attempt, &answers(&slow, 5)).await.expect(204);

    assert_eq!(
        (&slow["expires_at"], &quick["expires_at"]),
        (&json!("2026-11-20T04:00:00Z"), &json!("2026-11-20T03:30:00Z"))
    );
    assert_eq!((late.status, late.code()), (409, "conflict"));
    assert_eq!(officer.post(&path, &more(officer.id)).await.code(), "own_interest");
    officer
        .post(&path, &more(world.officer(world.other_cell, Role::Member, world.other_cell).await.id))
        .await
        .expect(422);
    member.post(&path, &more(member.id)).await.expect(403);
    assert_eq!(world.audit_count("quiz.time_extended").await, 1);
    assert_eq!(officer.get(&path).await.expect(200).body["items"].as_array().unwrap().len(), 1);
}

async fn patch(officer: &Actor, id: &Value, body: Value) -> crate::support::Reply {
    officer.patch(&format!("/v1/questions/{}", id.as_str().unwrap()), &body).await
}

#[actix_web::test]
async fn a_changed_question_is_a_new_version_and_published_quizzes_ask_it_as_it_was() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let bank = bank(&world, &officer, 5).await;
    let id = write(&world, &officer, &quiz(&world, &bank, json!({}))).await.expect(201).id();
    publish(&officer, &id).await.expect(200);
    let first = question(&officer, &bank, 0).await;

    let text = "Câu hỏi số 0, sửa lại?";
    let changed =
        patch(&officer, &first, json!({"text": text, "explanation": "Điều 5", "difficulty": 3})).await.expect(200);
    let double = patch(&officer, &first, json!({"text": "Câu hỏi số 1?",
        "options": [{"text": "sai 1 a", "correct": false}, {"text": "đúng 1", "correct": true}, {"text": "sai 1 b", "correct": false}]})).await;
    let faulty = patch(
        &officer,
        &first,
        json!({"options": [{"text": "một", "correct": false}, {"text": "hai", "correct": false}]}),
    )
    .await;
    let retired = patch(&officer, &first, json!({"state": "retired"})).await.expect(200).body;

    assert_eq!(
        (&changed.body["version"], &changed.body["state"], &changed.body["text"]),
        (&json!(2), &json!("reviewed"), &json!(text))
    );
    assert_eq!(
        (double.status, double.code(), faulty.status, faulty.code()),
        (409, "conflict", 422, "questions_faulty")
    );
    assert_eq!((&retired["state"], &retired["version"]), (&json!("retired"), &json!(2)));
    let attempt = start(&world.member().await, &id).await.expect(201).body;
    assert!(attempt.to_string().contains("Câu hỏi số 0?"), "as it was asked");
    let draft = write(&world, &officer, &quiz(&world, &bank, json!({}))).await.expect(201);
    assert_eq!(draft.body["draws"][0]["available"], 4);
    world
        .member()
        .await
        .patch(&format!("/v1/questions/{}", first.as_str().unwrap()), &json!({"state": "retired"}))
        .await
        .expect(404);
}

#[actix_web::test]
async fn where_the_unit_asks_for_it_a_second_officer_reviews_questions() {
    let world = World::new().await;
    let (officer, second) = (world.propaganda_officer().await, world.propaganda_officer().await);
    let set = json!({"name": "question_review", "value": 1, "from": "2026-11"});
    world.committee_officer().await.post(&format!("/v1/units/{}/point-parameters", world.ward), &set).await.expect(200);
    let bank = bank(&world, &officer, 0).await;
    let report = import(&officer, &bank, &aiken(0..6), false).await.expect(200).body;
    let draft = write(&world, &officer, &quiz(&world, &bank, json!({}))).await.expect(201);
    let early = publish(&officer, &draft.id()).await;
    let path = format!("/v1/decisions/{}/confirmation", report["review_decision_id"].as_str().unwrap());

    let alone = officer.post(&path, &json!({})).await;
    second.post(&path, &json!({})).await.expect(200);
    publish(&officer, &draft.id()).await.expect(200);
    let first = question(&officer, &bank, 0).await;
    let changed = patch(&officer, &first, json!({"topic": "Sinh hoạt"})).await.expect(200).body;

    assert_eq!((&draft.body["draws"][0]["available"], early.status, alone.status), (&json!(0), 422, 403));
    assert_eq!((&changed["state"], &changed["waits_for_review"]), (&json!("draft"), &json!(true)));
    let again = format!("/v1/decisions/{}/confirmation", changed["review_decision_id"].as_str().unwrap());
    second.post(&again, &json!({})).await.expect(200);
    let list = officer.get(&format!("/v1/question-banks/{bank}/questions")).await.expect(200).body;
    assert!(list["items"].as_array().unwrap().iter().all(|question| question["state"] == "reviewed"));
}

#[actix_web::test]
async fn questions_of_a_recalled_document_are_flagged_and_left_out() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let document = published_document(&world, &officer, json!({})).await;
    let bank = super::comprehension::questions_of(&world, &officer, &document, 6).await;
    let draft = write(&world, &officer, &quiz(&world, &bank, json!({}))).await.expect(201).body;
    recall(&officer, &document).await.expect(200);

    let list = officer.get(&format!("/v1/question-banks/{bank}/questions")).await.expect(200).body;
    let banks = officer.get(&format!("/v1/units/{}/question-banks", world.ward)).await.expect(200).body;

    assert_eq!((&list["items"][0]["outdated"], &banks["items"][0]["outdated"]), (&json!(true), &json!(true)));
    publish(&officer, draft["id"].as_str().unwrap()).await.expect(422);
}

#[actix_web::test]
async fn the_secretary_reminds_privately_and_once_a_day() {
    let world = World::new().await;
    let id = published(&world, json!({})).await;
    let secretary = world.secretary().await;
    let (taken, waiting) = (world.member().await, world.member().await);
    take(&taken, &id, 5).await;
    let path = format!("/v1/units/{}/quiz-reminders", world.cell);

    let first = secretary.post(&path, &json!({"quiz_id": id})).await.expect(200).body;
    let second = secretary.post(&path, &json!({"quiz_id": id})).await.expect(200).body;
    while sotay::jobs::deliver(&world.app.state).await.unwrap() > 0 {}

    assert_eq!(
        (&first["reminded"], &second["reminded"], &second["already_reminded"]),
        (&json!(2), &json!(0), &json!(2))
    );
    let inbox = async |member: &Actor| member.get("/v1/me/notifications").await.expect(200).body.to_string();
    assert!(inbox(&waiting).await.contains("quiz_reminder") && !inbox(&taken).await.contains("quiz_reminder"));
    taken.post(&path, &json!({"quiz_id": id})).await.expect(403);
    world.app.set_time("2026-11-22T05:00:00Z");
    assert_eq!(secretary.post(&path, &json!({"quiz_id": id})).await.code(), "quiz_not_open");
}

#[actix_web::test]
async fn a_member_sees_weak_topics_once_answers_are_shown() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let bank = bank(&world, &officer, 5).await;
    for (number, topic) in [(0, "Điều lệ"), (1, "Điều lệ"), (2, "Sinh hoạt"), (3, "Sinh hoạt"), (4, "Sinh hoạt")]
    {
        let id = question(&officer, &bank, number).await;
        patch(&officer, &id, json!({"topic": topic})).await.expect(200);
    }
    let id = write(&world, &officer, &quiz(&world, &bank, json!({}))).await.expect(201).id();
    publish(&officer, &id).await.expect(200);
    let member = world.member().await;
    let attempt = start(&member, &id).await.expect(201).body;
    let wrong = |question: &Value| ["Câu hỏi số 0?", "Câu hỏi số 1?"].contains(&question["text"].as_str().unwrap());
    let answer = |question: &Value| {
        let text = if wrong(question) { "sai" } else { "đúng" };
        json!({"question_id": question["id"], "option_ids": [super::option(question, text)]})
    };
    let body: Vec<Value> = attempt["questions"].as_array().unwrap().iter().map(answer).collect();
    let attempt_id = attempt["id"].as_str().unwrap();
    put(&member, &format!("/v1/attempts/{attempt_id}/answers"), &json!({"answers": body})).await.expect(204);
    submit(&member, attempt_id).await.expect(200);

    let during = member.get("/v1/me/quiz-results").await.expect(200).body;
    world.app.set_time("2026-11-21T05:01:00Z");
    let after = member.get("/v1/me/quiz-results").await.expect(200).body;

    assert_eq!(during, json!({"attempts": 0, "topics": []}));
    let weak = &after["topics"][0];
    assert_eq!((&weak["topic"], &weak["asked"], &weak["percent"]), (&json!("Điều lệ"), &json!(2), &json!(0)));
    assert_eq!(after["topics"][1]["percent"], 100);
}

#[actix_web::test]
async fn a_small_cell_is_not_told_by_subtraction() {
    let world = World::new().await;
    let id = published(&world, json!({})).await;
    world.outsider().await;
    for _ in 0..6 {
        world.member().await;
    }
    let officer = world.propaganda_officer().await;
    let of = async |unit| {
        officer.get(&format!("/v1/quizzes/{id}/results?unit_id={unit}")).await.expect(200).body["summary"].clone()
    };

    let (ward, cell, sibling) = (of(world.ward).await, of(world.cell).await, of(world.sibling).await);

    assert_eq!(ward["members"], 7);
    assert_eq!((&cell["members"], &sibling["members"]), (&Value::Null, &Value::Null));
    world.outsider().await;
    confirm_nothing(&of(world.cell).await);
}

/// Two of the sibling cell are still too few.
fn confirm_nothing(summary: &Value) {
    assert_eq!(summary["members"], Value::Null);
}
