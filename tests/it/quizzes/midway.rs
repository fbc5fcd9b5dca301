//! What changes while an attempt runs: the member's cell, the day, the month.

use serde_json::{Value, json};
use sotay::kernel::security::access::Role;

use super::{answers, published, put, start, submit};
use crate::support::{Actor, World, points_everywhere};

async fn finish(member: &Actor, attempt: &Value, right: usize) -> Value {
    let id = attempt["id"].as_str().unwrap();
    put(member, &format!("/v1/attempts/{id}/answers"), &answers(attempt, right)).await.expect(204);
    submit(member, id).await.expect(200).body
}

#[actix_web::test]
async fn who_is_transferred_meanwhile_earns_for_the_new_cell() {
    let world = World::new().await;
    let id = published(&world, json!({})).await;
    let (member, old) = (world.member().await, world.secretary().await);
    let new = world.officer(world.sibling, Role::CellSecretary, world.sibling).await;
    let attempt = start(&member, &id).await.expect(201).body;
    let path = format!("/v1/members/{}/transfers", member.id);
    let transfer =
        old.post(&path, &json!({"to_unit_id": world.sibling, "reason": "Chuyển nơi cư trú"})).await.expect(201).id();
    new.post(&format!("/v1/transfers/{transfer}/accept"), &json!({})).await.expect(200);
    world.app.advance(60);

    let receipt = finish(&member, &attempt, 5).await;

    let cell = member.get("/v1/me").await.expect(200).body["cell"]["id"].clone();
    assert_eq!((&receipt["points_awarded"], &receipt["entries"][0]["unit_id"]), (&json!(6), &cell));
    assert_eq!(points_everywhere(&world, &member).await, 6);
}

const AT_MONTHS_END: (&str, &str) = ("2026-11-30T09:00:00Z", "2026-12-02T05:00:00Z");

#[actix_web::test]
async fn an_attempt_counts_for_the_month_of_its_submission_or_of_its_deadline() {
    let world = World::new().await;
    let (opens_at, closes_at) = AT_MONTHS_END;
    let id = published(&world, json!({"opens_at": opens_at, "closes_at": closes_at})).await;
    let (late, left) = (world.member().await, world.member().await);
    world.app.set_time("2026-11-30T16:20:00Z");
    let abandoned = start(&left, &id).await.expect(201).body;
    let path = format!("/v1/attempts/{}/answers", abandoned["id"].as_str().unwrap());
    put(&left, &path, &answers(&abandoned, 5)).await.expect(204);
    world.app.set_time("2026-11-30T16:55:00Z");
    let attempt = start(&late, &id).await.expect(201).body;
    world.app.set_time("2026-11-30T17:05:00Z");

    let receipt = finish(&late, &attempt, 5).await;
    sotay::quizzes::grade_due(&world.app.state.work, world.app.state.clock.now()).await.unwrap();

    assert_eq!(receipt["entries"][0]["period"], "2026-12");
    let ended = left.get(&format!("/v1/attempts/{}", abandoned["id"].as_str().unwrap())).await.expect(200).body;
    assert_eq!(ended["receipt"]["entries"][0]["period"], "2026-11");
    assert_eq!((&ended["receipt"]["expired"], &ended["receipt"]["points_awarded"]), (&json!(true), &json!(6)));
    let mut conn = world.app.state.db.conn().await.unwrap();
    assert_eq!(sotay::points::verify(&mut conn, |_, _| {}).await.unwrap(), 0);
    assert_eq!(sotay::quizzes::verify(&mut conn).await.unwrap(), 0);
}
