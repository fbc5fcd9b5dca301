//! Private reminders: one a day and member, never a list of names.

use diesel_async::RunQueryDsl;
use futures_util::future::join_all;
use serde_json::json;
use sotay::kernel::security::access::Role;
use sotay::points::{Deed, award};
use uuid::Uuid;

use crate::support::{Actor, World};

async fn told(world: &World, actor: &Actor) -> usize {
    while sotay::jobs::deliver(&world.app.state).await.unwrap() > 0 {}
    // The program's own loop may still be delivering what it claimed.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let list = actor.get("/v1/me/notifications").await.expect(200);
    let items = list.body["items"].as_array().unwrap();
    items.iter().filter(|item| item["kind"] == "points_reminder").count()
}

async fn reach_threshold(world: &World, member: Uuid) {
    let now = world.app.state.clock.now();
    for _ in 0..4 {
        let deed = Deed {
            event: "meeting.attended",
            object_kind: "meeting",
            object_id: Uuid::now_v7().to_string(),
            ..Deed::default()
        };
        world.app.state.db.transaction(async |conn| award(conn, member, &deed, now).await).await.unwrap();
    }
}

/// Ten documents to read: a member without points can still reach the threshold.
async fn offer_documents(world: &World) {
    let mut conn = world.app.state.db.conn().await.unwrap();
    diesel::sql_query(format!(
        "INSERT INTO point_offers (rule_code, object_id, unit_id, object_kind, title, valid_from)
         SELECT 'document_read', i::text, '{}', 'document', 'Tài liệu', '2026-11-01' FROM generate_series(1, 10) i",
        world.ward
    ))
    .execute(&mut *conn)
    .await
    .unwrap();
}

#[actix_web::test]
async fn those_at_risk_are_told_once_a_day() {
    let world = World::new().await;
    let (secretary, member, done, exempt) =
        (world.secretary().await, world.member().await, world.member().await, world.member().await);
    let outsider = world.outsider().await;
    reach_threshold(&world, done.id).await;
    world.exempt(exempt.id).await;
    let path = format!("/v1/units/{}/reminders", world.cell);
    let first = secretary.post(&path, &json!({})).await.expect(200);
    // The secretary is at risk too.
    assert_eq!(first.body, json!({"period": "2026-11", "reminded": 2, "already_reminded": 0}));
    let again = secretary.post(&path, &json!({"include": "short"})).await.expect(200);
    assert_eq!(again.body, json!({"period": "2026-11", "reminded": 0, "already_reminded": 2}));
    for (actor, times) in [(&member, 1), (&done, 0), (&exempt, 0), (&outsider, 0)] {
        assert_eq!(told(&world, actor).await, times);
    }
    world.app.advance(24 * 3600);
    secretary.post(&path, &json!({})).await.expect(200);
    assert_eq!(told(&world, &member).await, 2);
    assert_eq!(world.audit_count("points.reminded").await, 3);
}

#[actix_web::test]
async fn those_on_track_are_told_only_on_request() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    offer_documents(&world).await;
    let path = format!("/v1/units/{}/reminders", world.cell);
    let risk = secretary.post(&path, &json!({})).await.expect(200);
    assert_eq!(risk.body["reminded"], 0);
    let short = secretary.post(&path, &json!({"include": "short"})).await.expect(200);
    assert_eq!(short.body["reminded"], 2);
    assert_eq!(told(&world, &member).await, 1);
    for body in [json!({"include": "everybody"}), json!({"member_ids": [member.id]})] {
        secretary.post(&path, &body).await.expect(400);
    }
}

#[actix_web::test]
async fn ten_taps_at_once_remind_once() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    let deputy = world.officer(world.cell, Role::DeputySecretary, world.cell).await;
    let path = format!("/v1/units/{}/reminders", world.cell);
    let body = json!({});
    let taps = (0..10).map(|i| if i % 2 == 0 { &secretary } else { &deputy }).map(|actor| actor.post(&path, &body));
    let replies = join_all(taps).await;
    let reminded: i64 = replies.iter().map(|reply| reply.body["reminded"].as_i64().unwrap()).sum();
    assert_eq!(reminded, 3);
    assert_eq!(told(&world, &member).await, 1);
}

#[actix_web::test]
async fn who_may_remind() {
    let world = World::new().await;
    let path = format!("/v1/units/{}/reminders", world.cell);
    let sibling = world.officer(world.sibling, Role::CellSecretary, world.sibling).await;
    for (actor, status) in [
        (&world.member().await, 403),
        (&world.committee_officer().await, 403),
        (&world.inspector().await, 403),
        (&world.administrator().await, 403),
        (&world.outsider().await, 404),
        (&sibling, 404),
    ] {
        actor.post(&path, &json!({})).await.expect(status);
    }
    let above = world.officer(world.cell, Role::CellSecretary, world.ward).await;
    above.post(&format!("/v1/units/{}/reminders", world.ward), &json!({})).await.expect(422);
}
