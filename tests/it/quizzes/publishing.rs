//! Writing and publishing quizzes.

use serde_json::json;

use super::{aiken, bank, import, publish, published, quiz, start, write};
use crate::support::World;

#[actix_web::test]
async fn the_rules_of_what_pays_are_told_at_once() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let member = world.member().await;
    let bank = bank(&world, &officer, 8).await;
    let body = quiz(
        &world,
        &bank,
        json!({"draws": [{"bank_id": bank, "count": 4}], "targets": [{"member_id": member.id}],
        "closes_at": "2026-11-20T02:20:00Z"}),
    );

    let refused = write(&world, &officer, &body).await.expect(422);

    let codes: Vec<&str> =
        refused.body["errors"].as_array().unwrap().iter().map(|fault| fault["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["window_too_short", "too_few_questions", "members_not_paid"]);
}

#[actix_web::test]
async fn a_draft_says_how_many_questions_there_are_and_members_do_not_see_it() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let member = world.member().await;
    let bank = bank(&world, &officer, 8).await;

    let draft = write(&world, &officer, &quiz(&world, &bank, json!({}))).await.expect(201);

    assert_eq!((&draft.body["state"], &draft.body["draws"][0]["available"]), (&json!("draft"), &json!(8)));
    member.get(&format!("/v1/quizzes/{}", draft.id())).await.expect(404);
    start(&member, &draft.id()).await.expect(404);
    assert_eq!(member.get("/v1/quizzes").await.expect(200).body["items"], json!([]));
}

#[actix_web::test]
async fn publication_reaches_members_of_the_units_and_freezes_the_pool() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let bank = bank(&world, &officer, 5).await;
    let id = write(&world, &officer, &quiz(&world, &bank, json!({}))).await.expect(201).id();
    publish(&officer, &id).await.expect(200);
    let (member, elsewhere) = (world.member().await, world.member_of(world.other_cell, "Vũ Thị Hoa").await);

    import(&officer, &bank, &aiken(0..5).replace("ANSWER: B", "ANSWER: A"), false).await.expect(200);
    let list = member.get("/v1/quizzes").await.expect(200).body;
    let receipt = super::take(&member, &id, 5).await;

    assert_eq!(
        (&list["items"][0]["id"], &list["items"][0]["state"], &list["items"][0]["attempts_left"]),
        (&json!(id), &json!("open"), &json!(2))
    );
    assert_eq!(receipt["percent"], 100);
    start(&elsewhere, &id).await.expect(404);
    elsewhere.get(&format!("/v1/quizzes/{id}")).await.expect(404);
    publish(&officer, &id).await.expect(200);
    assert_eq!(world.audit_count("quiz.published").await, 1);
}

#[actix_web::test]
async fn a_draw_without_enough_questions_is_not_published() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let bank = bank(&world, &officer, 4).await;
    let id = write(&world, &officer, &quiz(&world, &bank, json!({}))).await.expect(201).id();

    let refused = publish(&officer, &id).await.expect(422);

    assert_eq!(refused.body["errors"][0]["code"], "too_few_questions");
}

#[actix_web::test]
async fn quizzes_go_only_below_and_draw_only_from_banks_that_the_officer_may_open() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let far = world
        .officer(world.other_cell, sotay::kernel::security::access::Role::PropagandaOfficer, world.other_ward)
        .await;
    let bank = bank(&world, &officer, 8).await;

    let above = write(&world, &officer, &quiz(&world, &bank, json!({"targets": [{"unit_id": world.province}]}))).await;
    let path = format!("/v1/units/{}/quizzes", world.other_ward);
    let foreign = far.post(&path, &quiz(&world, &bank, json!({"targets": [{"unit_id": world.other_ward}]}))).await;

    assert_eq!((above.status, above.code()), (422, "rule_not_met"));
    assert_eq!(foreign.expect(422).body["errors"][0]["code"], "unknown_bank");
}

#[actix_web::test]
async fn the_window_decides_whether_a_quiz_can_be_started() {
    let world = World::new().await;
    let later = json!({"opens_at": "2026-11-20T04:00:00Z", "closes_at": "2026-11-20T05:00:00Z"});
    let id = published(&world, later).await;
    let member = world.member().await;

    let early = start(&member, &id).await;
    world.app.set_time("2026-11-20T04:45:00Z");
    let attempt = start(&member, &id).await.expect(201);
    world.app.set_time("2026-11-20T05:00:00Z");
    let late = start(&world.member().await, &id).await;

    assert_eq!((early.status, early.code()), (409, "quiz_not_open"));
    assert_eq!(attempt.body["expires_at"], "2026-11-20T05:00:00Z");
    assert_eq!((late.status, late.code()), (409, "quiz_not_open"));
}

#[actix_web::test]
async fn practice_that_shows_its_key_shares_no_question_with_what_pays() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let bank = bank(&world, &officer, 8).await;
    let paying = write(&world, &officer, &quiz(&world, &bank, json!({}))).await.expect(201).id();
    let shown = json!({"practice": true, "reveal": "at_once"});
    let practice = write(&world, &officer, &quiz(&world, &bank, shown)).await.expect(201).id();

    publish(&officer, &paying).await.expect(200);
    let refused = publish(&officer, &practice).await;

    assert_eq!((refused.status, refused.code()), (422, "rule_not_met"));
}
