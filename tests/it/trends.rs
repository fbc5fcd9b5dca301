//! A year by months: a member's points beside the committee, and nothing about groups under five.

use serde_json::{Value, json};
use sotay::jobs;
use sotay::points::{Deed, award};
use uuid::Uuid;

use crate::support::{Actor, World};

async fn meet(world: &World, member: &Actor) {
    let now = world.app.state.clock.now();
    let object_id = Uuid::now_v7().to_string();
    let deed = Deed { event: "meeting.attended", object_kind: "meeting", object_id, ..Deed::default() };
    world.app.state.db.transaction(async |conn| award(conn, member.id, &deed, now).await).await.unwrap();
}

#[actix_web::test]
async fn a_year_is_told_beside_the_committee() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let mut people = Vec::new();
    for cell in [world.cell, world.cell, world.sibling, world.sibling] {
        people.push(world.member_of(cell, "Phạm Thị Lan").await);
    }
    let member = &people[0];
    for _ in 0..4 {
        meet(&world, member).await;
    }
    meet(&world, &people[2]).await;
    while jobs::project(&world.app.state).await.unwrap() {}
    let year = member.get("/v1/me/points/trend").await.expect(200).body;
    let months = year["items"].as_array().unwrap();
    assert_eq!((&year["year"], months.len()), (&json!(2026), 11));
    let november =
        json!({"period": "2026-11", "points": 32, "threshold": 30, "status": "met", "committee_average": 8.0});
    assert_eq!(months[10], november);
    assert_eq!((&months[9]["status"], &months[9]["committee_average"]), (&json!("below"), &Value::Null));
    let path = format!("/v1/units/{}/points/trend?year=2026", world.cell);
    let cell = secretary.get(&path).await.expect(200).body;
    let last = &cell["items"][10];
    assert_eq!((&last["counted"], &last["average"], &last["rate"]), (&json!(3), &Value::Null, &Value::Null));
    assert_eq!((&last["committee_average"], &last["committee_rate"]), (&json!(8.0), &json!(0.2)));
    assert_eq!(member.get(&path).await.status, 403);
    assert_eq!(member.get("/v1/me/points/trend?year=2027").await.status, 400);
}
