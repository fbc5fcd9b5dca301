//! Sending again: one delivery, and the events of a time.

use serde_json::json;

use super::{hook, publish, send};
use crate::support::World;

#[actix_web::test]
async fn a_delivery_that_arrived_is_sent_again_with_its_id() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let hook = hook(&officer).await;
    publish(&world, &officer).await;
    send(&world).await;
    let first = hook.receiver.expect(1).await.remove(0);
    let delivery = hook.last(&officer).await["id"].as_str().unwrap().to_owned();
    let path = hook.path(&format!("/deliveries/{delivery}/replay"));
    let queued = officer.post(&path, &json!({})).await.expect(200).body;
    assert_eq!((&queued["state"], &queued["attempts"]), (&json!("pending"), &json!(0)));
    send(&world).await;
    let again = hook.receiver.expect(2).await.remove(1);
    assert_eq!((again.header("webhook-id"), &again.body), (first.header("webhook-id"), &first.body));
    let other = super::hook(&officer).await;
    officer.post(&other.path(&format!("/deliveries/{delivery}/replay")), &json!({})).await.expect(404);
}

#[actix_web::test]
async fn events_of_a_time_are_sent_again_those_of_a_pause_too() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let hook = hook(&officer).await;
    publish(&world, &officer).await;
    send(&world).await;
    officer.patch(&hook.path(""), &json!({"paused": true})).await.expect(200);
    world.app.advance(3_600);
    publish(&world, &officer).await;
    send(&world).await;
    hook.receiver.expect(1).await;
    officer.patch(&hook.path(""), &json!({"paused": false})).await.expect(200);
    let span = |from: &str, to: &str| json!({"from": from, "to": to});
    let path = hook.path("/replays");
    // The clock began at 10:00 in Viet Nam.
    let late = officer.post(&path, &span("2026-11-20T10:30:00+07:00", "2026-11-20T12:00:00+07:00")).await.expect(200);
    assert_eq!(late.body["queued"], 1);
    send(&world).await;
    hook.receiver.expect(2).await;
    let all = officer.post(&path, &span("2026-11-20T00:00:00+07:00", "2026-11-21T00:00:00+07:00")).await.expect(200);
    assert_eq!(all.body["queued"], 2);
    send(&world).await;
    let received = hook.receiver.expect(4).await;
    assert_eq!(received[0].header("webhook-id"), received[2].header("webhook-id"));
    officer.post(&path, &span("2026-11-21T00:00:00Z", "2026-11-20T00:00:00Z")).await.expect(422);
    officer.post(&path, &span("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z")).await.expect(200);
}

#[actix_web::test]
async fn a_try_is_sent_whatever_the_endpoint_gets() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let hook = hook(&officer).await;
    let queued = officer.post(&hook.path("/test"), &json!({})).await.expect(201).body;
    assert_eq!((&queued["type"], &queued["state"]), (&json!("webhook.test"), &json!("pending")));
    send(&world).await;
    let received = hook.receiver.expect(1).await;
    assert_eq!(received[0].json()["data"], json!({"endpoint_id": hook.id, "unit_id": world.ward}));
    assert_eq!(officer.get("/v1/events").await.expect(200).body["items"], json!([]), "it is no event of the unit");
}
