//! Attempts: resumed, saved in any order, graded once with their points.

use serde_json::json;

use super::{answers, option, publish, published, put, quiz, start, submit, take, write};
use crate::support::{World, points_everywhere};

#[actix_web::test]
async fn a_quiz_is_taken_and_paid_outside_the_twelve_points_of_a_day() {
    let world = World::new().await;
    let id = published(&world, json!({})).await;
    let member = world.member().await;
    member.post("/v1/me/visits", &json!({})).await.expect(200);

    let receipt = take(&member, &id, 5).await;

    assert_eq!(
        (&receipt["score"], &receipt["max_score"], &receipt["percent"], &receipt["passed"]),
        (&json!(5), &json!(5), &json!(100), &json!(true))
    );
    assert_eq!((&receipt["points_awarded"], &receipt["month"]["points"]), (&json!(6), &json!(7)));
    assert_eq!(receipt["entries"][0]["rule"], "quiz_passed");
    assert_eq!(points_everywhere(&world, &member).await, 7);
    let rules = member.get("/v1/point-rules").await.expect(200).body;
    let rule = rules["items"].as_array().unwrap().iter().find(|rule| rule["code"] == "quiz_passed").unwrap();
    assert_eq!((&rule["self_service"], &rule["cap_month"]), (&json!(false), &json!(24)));
}

#[actix_web::test]
async fn the_share_of_right_answers_decides_the_points() {
    let world = World::new().await;
    let id = published(&world, json!({})).await;

    for (right, points, passed) in [(2, 0, false), (3, 4, true), (4, 5, true)] {
        let receipt = take(&world.member().await, &id, right).await;
        assert_eq!((&receipt["points_awarded"], &receipt["passed"]), (&json!(points), &json!(passed)), "{right}");
    }
}

#[actix_web::test]
async fn an_open_attempt_is_resumed_with_its_answers() {
    let world = World::new().await;
    let id = published(&world, json!({})).await;
    let member = world.member().await;
    let attempt = start(&member, &id).await.expect(201).body;
    let (attempt_id, question) = (attempt["id"].as_str().unwrap(), &attempt["questions"][3]);
    let path = format!("/v1/attempts/{attempt_id}/answers/{}", question["id"].as_str().unwrap());
    put(&member, &path, &json!({"option_ids": [option(question, "đúng")]})).await.expect(204);

    let again = start(&member, &id).await.expect(200).body;
    let seen = member.get(&format!("/v1/quizzes/{id}")).await.expect(200).body;

    assert_eq!((&again["id"], &again["questions"]), (&attempt["id"], &attempt["questions"]));
    assert_eq!(again["answers"][0]["option_ids"], json!([option(question, "đúng")]));
    assert_eq!((&seen["open_attempt_id"], &seen["attempts_left"]), (&attempt["id"], &json!(1)));
}

#[actix_web::test]
async fn an_older_answer_never_replaces_a_newer_one() {
    let world = World::new().await;
    let id = published(&world, json!({})).await;
    let member = world.member().await;
    let attempt = start(&member, &id).await.expect(201).body;
    let question = &attempt["questions"][0];
    let path = format!("/v1/attempts/{}/answers/{}", attempt["id"].as_str().unwrap(), question["id"].as_str().unwrap());

    put(&member, &path, &json!({"option_ids": [option(question, "đúng")], "seq": 5})).await.expect(204);
    put(&member, &path, &json!({"option_ids": [option(question, "sai")], "seq": 4})).await.expect(204);

    let seen = member.get(&format!("/v1/attempts/{}", attempt["id"].as_str().unwrap())).await.expect(200).body;
    assert_eq!(seen["answers"][0]["option_ids"], json!([option(question, "đúng")]));
}

#[actix_web::test]
async fn what_was_not_submitted_is_graded_at_the_deadline_with_what_was_saved() {
    let world = World::new().await;
    let id = published(&world, json!({})).await;
    let member = world.member().await;
    let attempt = start(&member, &id).await.expect(201).body;
    let attempt_id = attempt["id"].as_str().unwrap();
    put(&member, &format!("/v1/attempts/{attempt_id}/answers"), &answers(&attempt, 4)).await.expect(204);

    world.app.advance(30 * 60 + 16);
    while sotay::quizzes::grade_due(&world.app.state.work, world.app.state.clock.now()).await.unwrap() {}
    let seen = member.get(&format!("/v1/attempts/{attempt_id}")).await.expect(200).body;
    let late = submit(&member, attempt_id).await.expect(200).body;

    assert_eq!((&seen["receipt"]["expired"], &seen["receipt"]["points_awarded"]), (&json!(true), &json!(5)));
    assert_eq!(seen["submitted_at"], attempt["expires_at"]);
    assert_eq!(late, seen["receipt"]);
    assert_eq!(points_everywhere(&world, &member).await, 5);
}

#[actix_web::test]
async fn saving_ends_fifteen_seconds_after_the_deadline() {
    let world = World::new().await;
    let id = published(&world, json!({})).await;
    let member = world.member().await;
    let attempt = start(&member, &id).await.expect(201).body;
    let path = format!("/v1/attempts/{}/answers", attempt["id"].as_str().unwrap());

    world.app.advance(30 * 60 + 15);
    put(&member, &path, &answers(&attempt, 5)).await.expect(204);
    world.app.advance(1);
    let late = put(&member, &path, &answers(&attempt, 0)).await;
    let receipt = submit(&member, attempt["id"].as_str().unwrap()).await.expect(200).body;

    assert_eq!((late.status, late.code()), (409, "attempt_over"));
    assert_eq!(receipt["percent"], 100);
}

#[actix_web::test]
async fn a_wait_lies_between_two_attempts() {
    let world = World::new().await;
    let id = published(&world, json!({"cooldown_minutes": 60, "attempts": 3})).await;
    let member = world.member().await;
    take(&member, &id, 1).await;

    let soon = start(&member, &id).await;
    world.app.advance(60 * 60);
    let again = start(&member, &id).await;

    assert_eq!((soon.status, soon.code(), soon.header("retry-after")), (409, "attempt_too_soon", "3600"));
    assert_eq!(again.status, 201);
}

#[actix_web::test]
async fn answers_and_explanations_are_shown_after_the_window() {
    let world = World::new().await;
    let id = published(&world, json!({})).await;
    let member = world.member().await;
    let attempt = start(&member, &id).await.expect(201).body;
    let path = format!("/v1/attempts/{}", attempt["id"].as_str().unwrap());
    submit(&member, attempt["id"].as_str().unwrap()).await.expect(200);
    let before = member.get(&path).await.expect(200).body;

    world.app.set_time("2026-11-21T05:00:16Z");
    let after = member.get(&path).await.expect(200).body;

    let shown = |attempt: &serde_json::Value| attempt["questions"][0]["options"][0].get("correct").is_some();
    assert_eq!((shown(&before), shown(&after)), (false, true));
}

#[actix_web::test]
async fn practice_for_named_members_shows_its_key_at_once_and_earns_nothing() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let (member, other) = (world.member().await, world.member().await);
    let bank = super::bank(&world, &officer, 3).await;
    let changes = json!({"practice": true, "reveal": "at_once", "draws": [{"bank_id": bank, "count": 3}],
        "targets": [{"member_id": member.id}]});
    let id = write(&world, &officer, &quiz(&world, &bank, changes)).await.expect(201).id();
    publish(&officer, &id).await.expect(200);

    let receipt = take(&member, &id, 3).await;
    let path = format!("/v1/attempts/{}", receipt["attempt_id"].as_str().unwrap());
    let seen = member.get(&path).await.expect(200).body;

    assert_eq!((&receipt["points_awarded"], &receipt["practice"]), (&json!(0), &json!(true)));
    assert!(seen["questions"][0]["options"][0].get("correct").is_some());
    start(&other, &id).await.expect(404);
    assert_eq!(points_everywhere(&world, &member).await, 0);
}

#[actix_web::test]
async fn the_offer_of_a_quiz_ends_with_its_window() {
    let world = World::new().await;
    let id = published(&world, json!({})).await;
    let offers = || async {
        let mut conn = world.app.state.db.conn().await.unwrap();
        use diesel::prelude::*;
        use diesel_async::RunQueryDsl;
        use sotay::kernel::db::schema::point_offers::dsl::{object_id, point_offers};
        point_offers.filter(object_id.eq(&id)).count().get_result::<i64>(&mut *conn).await.unwrap()
    };
    let before = offers().await;

    world.app.set_time("2026-11-21T05:00:00Z");
    while sotay::quizzes::grade_due(&world.app.state.work, world.app.state.clock.now()).await.unwrap() {}

    assert_eq!((before, offers().await), (1, 0));
}

#[actix_web::test]
async fn answers_that_come_together_are_saved_together_and_a_fault_is_its_own() {
    let world = World::new().await;
    let id = published(&world, json!({})).await;
    let mut taking = Vec::new();
    for _ in 0..6 {
        let member = world.member().await;
        let attempt = start(&member, &id).await.expect(201).body;
        taking.push((member, attempt));
    }
    let path = |attempt: &serde_json::Value, question: usize| {
        let (id, question) = (attempt["id"].as_str().unwrap(), attempt["questions"][question]["id"].as_str().unwrap());
        format!("/v1/attempts/{id}/answers/{question}")
    };
    let right = |attempt: &serde_json::Value, question: usize| {
        let ticked = option(&attempt["questions"][question], "đúng");
        json!({"option_ids": [ticked]})
    };
    let mut sent = Vec::new();
    for (member, attempt) in &taking {
        for question in 0..5 {
            sent.push((member, path(attempt, question), right(attempt, question), 204));
        }
    }
    // Another member's attempt, an option of another question, and a token that is none.
    let [(first, mine), (other, theirs)] = [&taking[0], &taking[1]];
    let nobody = other.at(&world.app.base_url).with_token("x".to_owned());
    sent.push((first, path(theirs, 0), right(theirs, 0), 404));
    sent.push((first, path(mine, 0), right(mine, 1), 422));
    sent.push((&nobody, path(theirs, 0), right(theirs, 0), 401));

    let answers = sent.iter().map(|(member, path, body, _)| put(member, path, body));
    let statuses: Vec<u16> = futures_util::future::join_all(answers).await.iter().map(|reply| reply.status).collect();

    assert_eq!(statuses, sent.iter().map(|(.., status)| *status).collect::<Vec<_>>());
    for (member, attempt) in &taking {
        let receipt = submit(member, attempt["id"].as_str().unwrap()).await.expect(200).body;
        assert_eq!(receipt["percent"], 100);
    }
}
