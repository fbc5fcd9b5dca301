//! Who still has to read what.

use serde_json::{Value, json};

use super::{acknowledge, change, published, read};
use crate::support::{Actor, World};

async fn overdue(secretary: &Actor, world: &World) -> Vec<Value> {
    let page = secretary.get(&format!("/v1/units/{}/readings?overdue=true", world.cell)).await.expect(200);
    page.body["items"].as_array().unwrap().clone()
}

fn of<'a>(items: &'a [Value], member: &Actor) -> Option<&'a Value> {
    items.iter().find(|item| item["member"]["id"] == member.id.to_string())
}

#[actix_web::test]
async fn the_secretary_sees_who_is_late_and_how_far_they_are() {
    let world = World::new().await;
    let (officer, secretary) = (world.propaganda_officer().await, world.secretary().await);
    let (diligent, opener, idle) = (world.member().await, world.member().await, world.member().await);
    let day = sotay::kernel::clock::day_of(world.app.state.clock.now()) + chrono::Days::new(10);
    let id = published(&world, &officer, json!({"must_read_by": day})).await;
    read(&world, &diligent, &id).await;
    acknowledge(&diligent, &id).await.expect(200);
    opener.get(&format!("/v1/documents/{id}")).await.expect(200);
    assert_eq!(overdue(&secretary, &world).await, Vec::<Value>::new());
    world.app.advance(11 * 86_400);
    let late = overdue(&secretary, &world).await;
    assert!(of(&late, &diligent).is_none());
    assert_eq!(of(&late, &opener).unwrap()["state"], "opened");
    let row = of(&late, &idle).unwrap();
    assert_eq!(
        (&row["state"], &row["overdue"], &row["document"]["id"]),
        (&json!("unopened"), &json!(true), &json!(id))
    );
    assert_eq!(row["must_read_by"], json!(day));
    let all = secretary.get(&format!("/v1/units/{}/readings", world.cell)).await.expect(200).body;
    assert_eq!(of(all["items"].as_array().unwrap(), &diligent).unwrap()["state"], "acknowledged");
    assert!(world.audit_count("document.readings_listed").await >= 1);

    change(&officer, &id, &json!({"must_read_by": null})).await.expect(200);
    assert_eq!(overdue(&secretary, &world).await, Vec::<Value>::new(), "it need not be read any more");
}

#[actix_web::test]
async fn who_joined_later_has_a_week() {
    let world = World::new().await;
    let (officer, secretary, old) = (world.propaganda_officer().await, world.secretary().await, world.member().await);
    let today = sotay::kernel::clock::day_of(world.app.state.clock.now());
    published(&world, &officer, json!({"must_read_by": today + chrono::Days::new(1)})).await;
    world.app.advance(3 * 86_400);
    let new = world.member_since(world.cell, "Trần Thị Mới", today + chrono::Days::new(3)).await;
    let late = overdue(&secretary, &world).await;
    assert!(of(&late, &old).is_some());
    assert!(of(&late, &new).is_none());
    world.app.advance(8 * 86_400);
    assert!(of(&overdue(&secretary, &world).await, &new).is_some());
}

#[actix_web::test]
async fn names_are_for_those_who_see_the_board() {
    let world = World::new().await;
    let path = format!("/v1/units/{}/readings", world.cell);
    assert_eq!(world.member().await.get(&path).await.status, 403);
    assert_eq!(world.propaganda_officer().await.get(&path).await.status, 403);
    assert_eq!(world.outsider().await.get(&path).await.status, 404);
    world.inspector().await.get(&path).await.expect(200);
}

#[actix_web::test]
async fn reminders_are_private_and_one_a_day() {
    let world = World::new().await;
    let (officer, secretary, idle) = (world.propaganda_officer().await, world.secretary().await, world.member().await);
    let today = sotay::kernel::clock::day_of(world.app.state.clock.now());
    let id = published(&world, &officer, json!({"must_read_by": today})).await;
    world.app.advance(30 * 86_400);
    let path = format!("/v1/units/{}/reading-reminders", world.cell);
    let first = secretary.post(&path, &json!({"document_id": id})).await.expect(200).body;
    assert!(first["reminded"].as_i64().unwrap() >= 1, "{first}");
    let again = secretary.post(&path, &json!({})).await.expect(200).body;
    assert_eq!((&again["reminded"], &again["already_reminded"]), (&json!(0), &first["reminded"]));
    while sotay::jobs::deliver(&world.app.state).await.unwrap() > 0 {}
    let told = idle.get("/v1/me/notifications").await.expect(200).body;
    assert!(told.to_string().contains("document_reminder"), "{told}");
    assert_eq!(idle.post(&path, &json!({})).await.status, 403);
    let file = secretary.get(&format!("/v1/units/{}/readings/export?overdue=true", world.cell)).await.expect(200);
    assert!(file.bytes.starts_with(b"PK"));
}
