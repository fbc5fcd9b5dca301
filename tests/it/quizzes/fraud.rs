//! Attacks on quizzes: each asserts the ledger and the boards, not only the status.

use futures_util::future::join_all;
use serde_json::json;

use super::{aiken, answers, bank, import, option, publish, published, put, quiz, start, submit, take, write};
use crate::support::{Actor, World, points_everywhere};

#[actix_web::test]
async fn all_attempts_count_whether_submitted_or_abandoned() {
    let world = World::new().await;
    let id = published(&world, json!({"attempts": 2})).await;
    let member = world.member().await;
    start(&member, &id).await.expect(201);
    world.app.advance(31 * 60);
    take(&member, &id, 0).await;

    let third = start(&member, &id).await;

    assert_eq!((third.status, third.code()), (409, "attempts_used_up"));
    assert_eq!(points_everywhere(&world, &member).await, 0);
}

#[actix_web::test]
async fn only_the_first_attempt_that_passes_is_credited() {
    let world = World::new().await;
    let id = published(&world, json!({"attempts": 3})).await;
    let member = world.member().await;

    let failed = take(&member, &id, 1).await;
    let passed = take(&member, &id, 3).await;
    let better = take(&member, &id, 5).await;

    let points = [failed, passed, better].map(|receipt| receipt["points_awarded"].as_i64().unwrap());
    assert_eq!(points, [0, 4, 0]);
    assert_eq!(points_everywhere(&world, &member).await, 4);
}

#[actix_web::test]
async fn submitting_twice_under_any_key_pays_once() {
    let world = World::new().await;
    let id = published(&world, json!({})).await;
    let member = world.member().await;
    let attempt = start(&member, &id).await.expect(201).body;
    let attempt_id = attempt["id"].as_str().unwrap();
    let (save, end) = (format!("/v1/attempts/{attempt_id}/answers"), format!("/v1/attempts/{attempt_id}/submission"));
    put(&member, &save, &answers(&attempt, 3)).await.expect(204);
    let keyed = |key: &str| member.request("POST", &end).header("Idempotency-Key", key).json(&json!({})).send();

    let first = keyed("one").await.expect(200).body;
    let changed = put(&member, &save, &answers(&attempt, 5)).await;
    let (same, new) = (keyed("one").await.expect(200).body, keyed("two").await.expect(200).body);

    assert_eq!((changed.status, changed.code()), (409, "attempt_over"));
    assert_eq!((&same, &new), (&first, &first));
    assert_eq!(points_everywhere(&world, &member).await, 4);
}

#[actix_web::test]
async fn fifty_submissions_at_once_grade_and_pay_once() {
    let world = World::new().await;
    let id = published(&world, json!({})).await;
    let member = world.member().await;
    let attempt = start(&member, &id).await.expect(201).body;
    let attempt_id = attempt["id"].as_str().unwrap();
    put(&member, &format!("/v1/attempts/{attempt_id}/answers"), &answers(&attempt, 5)).await.expect(204);

    let replies = join_all((0..50).map(|_| submit(&member, attempt_id))).await;

    assert!(replies.iter().all(|reply| reply.status == 200 && reply.body == replies[0].body));
    assert_eq!(points_everywhere(&world, &member).await, 6);
}

#[actix_web::test]
async fn two_phones_that_start_at_once_share_one_attempt() {
    let world = World::new().await;
    let id = published(&world, json!({})).await;
    let member = world.member().await;

    let replies = join_all((0..8).map(|_| start(&member, &id))).await;

    assert!(replies.iter().all(|reply| matches!(reply.status, 200 | 201) && reply.body["id"] == replies[0].body["id"]));
    assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 1);
}

#[actix_web::test]
async fn attempts_of_others_and_ids_of_other_attempts_are_refused() {
    let world = World::new().await;
    let id = published(&world, json!({})).await;
    let (member, other) = (world.member().await, world.member().await);
    let mine = start(&member, &id).await.expect(201).body;
    let theirs = start(&other, &id).await.expect(201).body;
    let path = format!("/v1/attempts/{}", mine["id"].as_str().unwrap());

    other.get(&path).await.expect(404);
    put(&other, &format!("{path}/answers"), &answers(&mine, 5)).await.expect(404);
    submit(&other, mine["id"].as_str().unwrap()).await.expect(404);
    let swapped = put(&member, &format!("{path}/answers"), &answers(&theirs, 5)).await;
    let question = mine["questions"][0]["id"].as_str().unwrap();
    let foreign = json!({"option_ids": [option(&theirs["questions"][0], "đúng")]});
    let option_of_another = put(&member, &format!("{path}/answers/{question}"), &foreign).await;
    let two = json!({"option_ids": [option(&mine["questions"][0], "đúng"), option(&mine["questions"][0], "sai")]});
    let two = put(&member, &format!("{path}/answers/{question}"), &two).await;

    assert_eq!((swapped.status, swapped.body["errors"].as_array().unwrap().len()), (422, 5));
    assert_eq!((option_of_another.status, two.status), (422, 422));
    let seen = member.get(&path).await.expect(200).body;
    assert_eq!(seen["answers"], json!([]));
}

#[actix_web::test]
async fn unknown_fields_change_nothing() {
    let world = World::new().await;
    let id = published(&world, json!({})).await;
    let member = world.member().await;
    let attempt = start(&member, &id).await.expect(201).body;
    let path = format!("/v1/attempts/{}/submission", attempt["id"].as_str().unwrap());

    member.post(&path, &json!({"score": 5, "member_id": member.id})).await.expect(400);
    member.post(&format!("/v1/quizzes/{id}/attempts"), &json!({"seed": 1})).await.expect(400);

    assert_eq!(points_everywhere(&world, &member).await, 0);
}

/// A propaganda officer of the ward who is a member of the cell, so that the quiz reaches them.
async fn insider(world: &World) -> Actor {
    world.officer(world.cell, sotay::kernel::security::access::Role::PropagandaOfficer, world.ward).await
}

#[actix_web::test]
async fn a_person_who_saw_the_key_takes_the_quiz_as_practice() {
    let world = World::new().await;
    let author = world.propaganda_officer().await;
    let bank = bank(&world, &author, 8).await;
    let other_bank = super::bank(&world, &author, 0).await;
    let id = write(&world, &author, &quiz(&world, &bank, json!({}))).await.expect(201).id();
    publish(&author, &id).await.expect(200);
    let questions = format!("/v1/question-banks/{bank}/questions?limit=8");
    let export = format!("/v1/question-banks/{bank}/export?format=gift");
    let analysis = format!("/v1/quizzes/{id}/analysis");
    let insiders = [insider(&world).await, insider(&world).await, insider(&world).await, insider(&world).await];

    insiders[0].get(&questions).await.expect(200);
    insiders[1].get(&export).await.expect(200);
    insiders[2].get(&analysis).await.expect(200);
    // The same questions through another bank.
    import(&insiders[3], &other_bank, &aiken(0..8), true).await.expect(200);

    for insider in &insiders {
        let receipt = take(insider, &id, 5).await;
        assert_eq!((&receipt["passed"], &receipt["practice"]), (&json!(true), &json!(true)));
        assert_eq!(points_everywhere(&world, insider).await, 0);
    }
    let clean = insider(&world).await;
    assert_eq!(take(&clean, &id, 5).await["points_awarded"], 6);
}

#[actix_web::test]
async fn a_key_read_while_the_attempt_runs_makes_it_practice() {
    let world = World::new().await;
    let author = world.propaganda_officer().await;
    let bank = bank(&world, &author, 8).await;
    let id = write(&world, &author, &quiz(&world, &bank, json!({}))).await.expect(201).id();
    publish(&author, &id).await.expect(200);
    let insider = insider(&world).await;
    let attempt = start(&insider, &id).await.expect(201).body;

    insider.get(&format!("/v1/question-banks/{bank}/export?format=moodle-xml")).await.expect(200);
    let path = format!("/v1/attempts/{}/answers", attempt["id"].as_str().unwrap());
    put(&insider, &path, &answers(&attempt, 5)).await.expect(204);
    let receipt = submit(&insider, attempt["id"].as_str().unwrap()).await.expect(200).body;

    assert_eq!((&attempt["practice"], &receipt["practice"]), (&json!(false), &json!(true)));
    assert_eq!(points_everywhere(&world, &insider).await, 0);
}

#[actix_web::test]
async fn an_attempt_across_midnight_counts_on_the_day_of_its_submission() {
    let world = World::new().await;
    let id = published(&world, json!({"closes_at": "2026-12-02T05:00:00Z"})).await;
    let member = world.member().await;
    world.app.set_time("2026-11-30T16:50:00Z");
    let attempt = start(&member, &id).await.expect(201).body;
    let path = format!("/v1/attempts/{}/answers", attempt["id"].as_str().unwrap());
    put(&member, &path, &answers(&attempt, 5)).await.expect(204);

    world.app.set_time("2026-11-30T17:05:00Z");
    let receipt = submit(&member, attempt["id"].as_str().unwrap()).await.expect(200).body;

    assert_eq!((&receipt["entries"][0]["day"], &receipt["month"]["period"]), (&json!("2026-12-01"), &json!("2026-12")));
}

#[actix_web::test]
async fn a_clock_set_back_opens_nothing_again() {
    let world = World::new().await;
    let id = published(&world, json!({"attempts": 1})).await;
    let member = world.member().await;
    take(&member, &id, 2).await;

    world.app.set_time("2026-11-20T02:30:00Z");
    let again = start(&member, &id).await;

    assert_eq!((again.status, again.code()), (409, "attempts_used_up"));
}
