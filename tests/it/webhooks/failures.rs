//! Receivers that fail in every way, and what becomes of the deliveries.

use std::time::{Duration, Instant};

use serde_json::json;
use sotay::webhooks;

use super::{hook, publish, send};
use crate::support::{Answer, TestApp, World};

#[actix_web::test]
async fn what_fails_is_sent_again_with_the_same_id() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let hook = hook(&officer).await;
    hook.receiver.answer([Answer::Status(500), Answer::Status(503)]);
    publish(&world, &officer).await;
    send(&world).await;
    hook.receiver.expect(1).await;
    let logged = hook.last(&officer).await;
    assert_eq!((&logged["state"], &logged["last_status"]), (&json!("pending"), &json!(500)));
    // Not before about five seconds are over.
    world.app.advance(3);
    send(&world).await;
    hook.receiver.expect(1).await;
    world.app.advance(4);
    send(&world).await;
    hook.receiver.expect(2).await;
    world.app.advance(40);
    send(&world).await;
    let received = hook.receiver.expect(3).await;
    assert!(received.iter().all(|one| one.header("webhook-id") == received[0].header("webhook-id")));
    assert!(received.iter().all(|one| one.body == received[0].body));
    assert_ne!(received[0].header("webhook-timestamp"), received[2].header("webhook-timestamp"));
    let logged = hook.last(&officer).await;
    assert_eq!((&logged["state"], &logged["attempts"]), (&json!("delivered"), &json!(3)));
    world.app.advance(90_000);
    send(&world).await;
    hook.receiver.expect(3).await;
}

#[actix_web::test]
async fn an_endpoint_that_hangs_holds_up_no_other() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let (hanging, working) = (hook(&officer).await, hook(&officer).await);
    hanging.receiver.answer([Answer::Hang]);
    publish(&world, &officer).await;
    let begun = Instant::now();
    let state = world.app.state.clone();
    let sending = actix_web::rt::spawn(async move {
        while sotay::jobs::deliver(&state).await.unwrap() > 0 {}
        webhooks::deliver_due(&state).await.unwrap()
    });
    working.receiver.expect(1).await;
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    // What comes while the other hangs is sent as well.
    publish(&world, &officer).await;
    while sotay::jobs::deliver(&world.app.state).await.unwrap() > 0 {}
    working.receiver.expect(2).await;
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
    sending.await.unwrap();
    hanging.receiver.expect(1).await;
    // The job of the program may be the one that waits.
    send(&world).await;
    let log = officer.get(&hanging.path("/deliveries")).await.expect(200).body;
    let tried: Vec<_> = log["items"].as_array().unwrap().iter().filter(|one| one["attempts"] == 1).collect();
    assert_eq!(tried.len(), 1, "the second one waits with the endpoint: {log}");
    assert_eq!(tried[0]["last_error"], "timed_out", "{log}");
}

#[actix_web::test]
async fn a_redirect_is_not_followed_and_an_endless_answer_not_read() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let (hook, inside) = (hook(&officer).await, hook(&officer).await);
    officer.delete(&inside.path("")).await.expect(204);
    hook.receiver.answer([Answer::Redirect(inside.receiver.url.clone()), Answer::Endless]);
    publish(&world, &officer).await;
    send(&world).await;
    inside.receiver.expect(0).await;
    let logged = hook.last(&officer).await;
    assert_eq!((&logged["state"], &logged["last_status"]), (&json!("pending"), &json!(302)));
    world.app.advance(7);
    let begun = Instant::now();
    send(&world).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(hook.last(&officer).await["state"], "delivered");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(hook.receiver.sent() < 16 * 1024 * 1024, "{} bytes", hook.receiver.sent());
}

#[actix_web::test]
async fn an_endpoint_that_is_gone_is_paused_at_once_and_officers_are_told() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let hook = hook(&officer).await;
    hook.receiver.answer([Answer::Status(410)]);
    publish(&world, &officer).await;
    send(&world).await;
    let shown = officer.get(&hook.path("")).await.expect(200).body;
    assert_eq!(shown["pause_reason"], "gone", "{shown}");
    send(&world).await;
    let told = officer.get("/v1/me/notifications").await.expect(200).body;
    assert_eq!(told["items"][0]["kind"], "webhook_paused", "{told}");
    officer.post(&hook.path("/test"), &json!({})).await.expect(409);

    // What happens meanwhile is not queued. What waited goes on with the endpoint.
    world.app.advance(3_600);
    publish(&world, &officer).await;
    send(&world).await;
    hook.receiver.expect(1).await;
    officer.patch(&hook.path(""), &json!({"paused": false})).await.expect(200);
    send(&world).await;
    hook.receiver.expect(2).await;
}

#[actix_web::test]
async fn an_endpoint_that_fails_for_a_day_is_paused_and_tried_about_ten_times() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let hook = hook(&officer).await;
    hook.receiver.answer(std::iter::repeat_n(Answer::Status(500), 100));
    publish(&world, &officer).await;
    for _ in 0..120 {
        send(&world).await;
        world.app.advance(900);
    }
    let shown = officer.get(&hook.path("")).await.expect(200).body;
    assert_eq!(shown["pause_reason"], "failing", "{shown}");
    let tried = hook.receiver.received().len();
    assert!((9..=11).contains(&tried), "{tried}");
}

#[actix_web::test]
async fn an_instance_that_dies_amid_a_delivery_leaves_it_to_the_next() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let hook = hook(&officer).await;
    hook.receiver.answer([Answer::Hang]);
    publish(&world, &officer).await;
    // The first instance has sent and dies before it hears the answer.
    let state = world.app.state.clone();
    let dying = actix_web::rt::spawn(async move {
        while sotay::jobs::deliver(&state).await.unwrap() > 0 {}
        webhooks::deliver_due(&state).await.unwrap()
    });
    hook.receiver.expect(1).await;
    dying.abort();
    let second = TestApp::beside(&world.app).await;
    webhooks::deliver_due(&second.state).await.unwrap();
    hook.receiver.expect(1).await;
    world.app.advance(61);
    webhooks::deliver_due(&second.state).await.unwrap();
    let received = hook.receiver.expect(2).await;
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
}
