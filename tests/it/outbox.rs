//! Delivery of events: at least once by claim, once by effect.

use serde_json::json;
use sotay::jobs;
use sotay::kernel::outbox;

use crate::support::World;

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
