//! Who makes, changes and ends endpoints.

use serde_json::json;

use super::{hook, publish, send};
use crate::support::World;

#[actix_web::test]
async fn an_officer_of_one_unit_need_not_name_it_others_must() {
    let world = World::new().await;
    let (officer, administrator) = (world.propaganda_officer().await, world.administrator().await);
    let (secretary, member) = (world.secretary().await, world.member().await);
    let body = json!({"url": "https://receiver.example/", "events": ["document.published", "document.published"]});
    let made = officer.post("/v1/webhook-endpoints", &body).await.expect(201).id();
    let shown = officer.get(&format!("/v1/webhook-endpoints/{made}")).await.expect(200).body;
    assert_eq!((&shown["unit_id"], &shown["events"]), (&json!(world.ward), &json!(["document.published"])));
    let unnamed = administrator.post("/v1/webhook-endpoints", &body).await.expect(400);
    assert_eq!(unnamed.body["errors"][0]["pointer"], "/unit_id");
    for other in [&secretary, &member] {
        other.post("/v1/webhook-endpoints", &body).await.expect(403);
        other.get("/v1/webhook-endpoints").await.expect(403);
    }
    let far =
        json!({"url": "https://receiver.example/", "events": ["document.published"], "unit_id": world.other_ward});
    // The officer's own cell is there, so the unit is known.
    officer.post("/v1/webhook-endpoints", &far).await.expect(403);
    secretary.post("/v1/webhook-endpoints", &far).await.expect(404);
    administrator.post("/v1/webhook-endpoints", &far).await.expect(201);
}

#[actix_web::test]
async fn a_secret_is_shown_once_and_kept_sealed() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let hook = hook(&officer).await;
    for path in [hook.path(""), "/v1/webhook-endpoints".to_owned()] {
        let shown = officer.get(&path).await.expect(200);
        assert!(!String::from_utf8_lossy(&shown.bytes).contains("whsec_"), "{}", shown.body);
    }
    let body = json!({"url": hook.receiver.url, "events": ["document.published"]});
    let request = officer.request("POST", "/v1/webhook-endpoints").header("Idempotency-Key", "a").json(&body);
    request.send().await.expect(400);
}

#[actix_web::test]
async fn nothing_more_is_sent_to_an_endpoint_that_was_deleted() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let hook = hook(&officer).await;
    officer.delete(&hook.path("")).await.expect(204);
    publish(&world, &officer).await;
    send(&world).await;
    hook.receiver.expect(0).await;
    officer.get(&hook.path("")).await.expect(404);
    officer.delete(&hook.path("")).await.expect(404);
}

#[actix_web::test]
async fn a_unit_has_twenty_endpoints_at_most() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let body = json!({"url": "https://8.8.8.8/", "events": ["document.published"]});
    for _ in 0..20 {
        officer.post("/v1/webhook-endpoints", &body).await.expect(201);
    }
    officer.post("/v1/webhook-endpoints", &body).await.expect(422);
    let first = officer.get("/v1/webhook-endpoints?limit=15").await.expect(200).body;
    let next = format!("/v1/webhook-endpoints?limit=15&cursor={}", first["next_cursor"].as_str().unwrap());
    assert_eq!(officer.get(&next).await.expect(200).body["items"].as_array().unwrap().len(), 5);
}
