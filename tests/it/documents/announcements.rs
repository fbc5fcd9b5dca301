//! A publication in inboxes: one row an audience, and phones told in slices.

use serde_json::{Value, json};

use super::{publish, published, write};
use crate::documents::draft_with;
use crate::support::{Actor, World};

async fn told(world: &World, actor: &Actor) -> Vec<Value> {
    while sotay::jobs::deliver(&world.app.state).await.unwrap() > 0 {}
    let list = actor.get("/v1/me/notifications").await.expect(200).body;
    list["items"].as_array().unwrap().iter().filter(|item| item["kind"] == "document_published").cloned().collect()
}

#[actix_web::test]
async fn a_publication_stands_in_the_inbox_of_those_it_reaches_once() {
    let world = World::new().await;
    let (member, outsider, officer) = (world.member().await, world.outsider().await, world.propaganda_officer().await);
    let id = write(&world, &officer, &draft_with(json!({}))).await;
    publish(&officer, &id, &[world.cell, world.ward]).await.expect(200);
    let items = told(&world, &member).await;
    assert_eq!(items.len(), 1, "both targets reach the member: {items:?}");
    assert_eq!((&items[0]["document_id"], &items[0]["read_at"]), (&json!(id), &Value::Null));
    assert_eq!(told(&world, &outsider).await.len(), 1);
    // Who joins later sees it, too.
    assert_eq!(told(&world, &world.member().await).await.len(), 1);

    let path = format!("/v1/me/notifications/{}/read", items[0]["id"].as_str().unwrap());
    let read = member.post(&path, &json!({})).await.expect(200).body;
    assert!(read["read_at"].is_string(), "{read}");
    assert_eq!(told(&world, &member).await[0]["read_at"], read["read_at"]);
    assert_eq!(told(&world, &outsider).await[0]["read_at"], Value::Null, "reading is each person's own");
}

#[actix_web::test]
async fn a_publication_elsewhere_is_in_no_inbox_and_a_recalled_one_in_none_any_more() {
    let world = World::new().await;
    let (member, outsider, officer) = (world.member().await, world.outsider().await, world.propaganda_officer().await);
    let id = published(&world, &officer, json!({})).await;
    let items = told(&world, &member).await;
    assert_eq!((items.len(), told(&world, &outsider).await.len()), (1, 0));
    let path = format!("/v1/me/notifications/{}/read", items[0]["id"].as_str().unwrap());
    outsider.post(&path, &json!({})).await.expect(404);
    // Distributed to one more unit it reaches those there, and the others not again.
    publish(&officer, &id, &[world.sibling]).await.expect(200);
    assert_eq!((told(&world, &member).await.len(), told(&world, &outsider).await.len()), (1, 1));

    let recall = json!({"reason": "Gửi nhầm đơn vị."});
    officer.post(&format!("/v1/documents/{id}/recall"), &recall).await.expect(200);
    assert_eq!((told(&world, &member).await.len(), told(&world, &outsider).await.len()), (0, 0));
    member.post(&path, &json!({})).await.expect(404);
}

#[actix_web::test]
async fn pages_of_the_inbox_hold_announcements_and_notifications_in_one_order() {
    let world = World::new().await;
    let (member, officer) = (world.member().await, world.propaganda_officer().await);
    for number in 0..4 {
        published(&world, &officer, json!({"symbol": format!("{number}-KH/ĐU")})).await;
        let mut conn = world.app.state.db.conn().await.unwrap();
        let now = world.app.state.clock.now();
        sotay::kernel::outbox::tell(&mut conn, "points_reminder", &[member.id], &json!({}), now).await.unwrap();
        drop(conn);
        while sotay::jobs::deliver(&world.app.state).await.unwrap() > 0 {}
        world.app.advance(60);
    }
    let (mut ids, mut path) = (Vec::new(), "/v1/me/notifications?limit=3".to_owned());
    loop {
        let page = member.get(&path).await.expect(200).body;
        ids.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/me/notifications?limit=3&cursor={cursor}");
    }
    assert_eq!(ids.len(), 8);
    assert!(ids.is_sorted_by(|a, b| a > b), "{ids:?}");
}
