//! Delivery of events: at least once by claim, once by effect.

use diesel::sql_types::{BigInt, Timestamptz};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use sotay::jobs;
use sotay::kernel::outbox;

use crate::support::{Actor, World};

#[actix_web::test]
async fn an_event_claimed_by_two_instances_notifies_once() {
    let world = World::new().await;
    let (member, state) = (world.member().await, &world.app.state);
    let mut conn = state.db.conn().await.unwrap();
    let payload = json!({"account_id": member.id, "details": {}});
    outbox::emit(&mut conn, "notify.password_changed", payload, state.clock.now()).await.unwrap();
    // The first instance stops after its claim for longer than the claim lasts.
    let slow = outbox::claim(&mut conn, 50, state.clock.now()).await.unwrap();
    assert_eq!(slow.len(), 1);
    world.app.advance(61);
    while jobs::deliver(state).await.unwrap() > 0 {}
    for event in &slow {
        jobs::deliver_one(state, event).await.unwrap();
    }
    let told = member.get("/v1/me/notifications").await.expect(200);
    assert_eq!(told.body["items"].as_array().unwrap().len(), 1, "{}", told.body);
}

#[actix_web::test]
async fn a_consumer_that_fails_holds_up_no_other_and_an_administrator_replays_it() {
    let world = World::new().await;
    let (administrator, member, state) = (world.administrator().await, world.member().await, &world.app.state);
    let mut conn = state.db.conn().await.unwrap();
    // What one of its two consumers needs is missing.
    let poison = json!({"issued_by": member.id, "at": state.clock.now()});
    outbox::emit(&mut conn, "identity.slip_redeemed", poison, state.clock.now()).await.unwrap();
    let payload = json!({"account_id": member.id, "details": {}});
    outbox::emit(&mut conn, "notify.password_changed", payload, state.clock.now()).await.unwrap();
    while jobs::deliver(state).await.unwrap() > 0 {}

    let told = member.get("/v1/me/notifications").await.expect(200);
    assert_eq!(told.body["items"].as_array().unwrap().len(), 1, "another event is delivered meanwhile");
    assert_eq!(failed(&administrator).await, json!([]), "it is tried again first");
    for _ in 0..10 {
        world.app.advance(3_600);
        while jobs::deliver(state).await.unwrap() > 0 {}
    }
    let listed = failed(&administrator).await;
    assert_eq!(listed[0]["consumer"], "cases.reveals", "{listed}");
    assert_eq!(listed[0]["attempts"], 8, "{listed}");
    assert_eq!(listed.as_array().unwrap().len(), 1, "the other consumer had it once: {listed}");

    let path = format!("/v1/failed-deliveries/{}/replay", listed[0]["id"].as_str().unwrap());
    member.post(&path, &json!({})).await.expect(403);
    administrator.post(&path, &json!({})).await.expect(204);
    administrator.post(&path, &json!({})).await.expect(404);
    assert_eq!(failed(&administrator).await, json!([]));
}

#[actix_web::test]
async fn a_delivery_of_another_instance_during_the_wait_for_the_lock_is_seen() {
    let world = World::new().await;
    let (member, state) = (world.member().await, &world.app.state);
    let mut conn = state.db.conn().await.unwrap();
    let payload = json!({"account_id": member.id, "details": {}});
    outbox::emit(&mut conn, "notify.password_changed", payload, state.clock.now()).await.unwrap();
    let event = outbox::claim(&mut conn, 50, state.clock.now()).await.unwrap().remove(0);

    let other = state.work.transaction(async |conn| {
        assert!(outbox::lock(conn, event.id).await?);
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        let noted = "INSERT INTO outbox_deliveries (event_id, consumer, attempts, next_at, done_at)
            VALUES ($1, 'notifications', 1, $2, $2)";
        let noted = diesel::sql_query(noted).bind::<BigInt, _>(event.id);
        noted.bind::<Timestamptz, _>(state.clock.now()).execute(conn).await?;
        Ok(())
    });
    let this = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        jobs::deliver_one(state, &event).await
    };
    let (other, this) = tokio::join!(other, this);
    other.unwrap();
    this.unwrap();
    let told = member.get("/v1/me/notifications").await.expect(200);
    assert_eq!(told.body["items"], json!([]), "the other instance has delivered it");
}

async fn failed(administrator: &Actor) -> Value {
    administrator.get("/v1/failed-deliveries").await.expect(200).body["items"].clone()
}
