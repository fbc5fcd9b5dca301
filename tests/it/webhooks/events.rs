//! Which events are sent, to whom, and as what.

use serde_json::json;
use sotay::kernel::clock::Clock;
use sotay::kernel::security::access::Role;

use super::{hook, is_signed_by, publish, send};
use crate::support::World;

#[actix_web::test]
async fn a_publication_arrives_signed_and_is_understood_by_a_library() {
    let world = World::new().await;
    // The library compares with the machine's clock.
    world.app.state.clock.set(Clock::System.now());
    let officer = world.propaganda_officer().await;
    let hook = hook(&officer).await;
    let document = publish(&world, &officer).await;
    send(&world).await;

    let received = hook.receiver.expect(1).await.remove(0);
    let library = standardwebhooks::Webhook::new(&hook.secret).unwrap();
    library.verify(&received.body, &received.headers).unwrap();
    let mut spoilt = received.body.clone();
    spoilt[10] ^= 1;
    assert!(library.verify(&spoilt, &received.headers).is_err());
    let body = received.json();
    assert_eq!(body["type"], "document.published");
    assert_eq!(body["data"], json!({"document_id": document, "unit_id": world.ward, "version": 1}));
    assert_eq!(received.path, "/hooks");
    assert_eq!(received.header("content-type"), "application/json");
    let logged = hook.last(&officer).await;
    assert_eq!(
        (&logged["state"], &logged["last_status"], &logged["attempts"]),
        (&json!("delivered"), &json!(204), &json!(1))
    );
    assert_eq!(logged["event_id"], received.header("webhook-id"));
}

#[actix_web::test]
async fn an_endpoint_gets_events_of_its_unit_and_below_that_it_asked_for() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let far = world.officer(world.cell, Role::PropagandaOfficer, world.other_ward).await;
    let top = world.officer(world.other_cell, Role::PropagandaOfficer, world.province).await;
    let below = world.officer(world.other_cell, Role::PropagandaOfficer, world.cell).await;
    let (own, aside, above, cell) = (hook(&officer).await, hook(&far).await, hook(&top).await, hook(&below).await);
    let document = publish(&world, &officer).await;
    send(&world).await;
    own.receiver.expect(1).await;
    above.receiver.expect(1).await;
    aside.receiver.expect(0).await;
    cell.receiver.expect(0).await;

    let recall = json!({"reason": "Gửi nhầm đơn vị."});
    officer.post(&format!("/v1/documents/{document}/recall"), &recall).await.expect(200);
    officer.patch(&above.path(""), &json!({"events": ["month.closed"]})).await.expect(403);
    top.patch(&above.path(""), &json!({"events": ["month.closed"]})).await.expect(200);
    send(&world).await;
    let received = own.receiver.expect(2).await;
    assert_eq!(received[1].json()["type"], "document.recalled");
    above.receiver.expect(1).await;
}

#[actix_web::test]
async fn a_closed_and_a_reopened_month_are_told_without_a_name_or_a_figure() {
    let world = World::new().await;
    let (secretary, officer) = (world.secretary().await, world.committee_officer().await);
    world.member().await;
    let body = json!({"url": "https://receiver.example/", "events": ["month.closed", "month.reopened"]});
    officer.post("/v1/webhook-endpoints", &body).await.expect(201);
    world.app.set_time(crate::closings::IN_TIME);
    let path = format!("/v1/units/{}/closings", world.cell);
    let closing = secretary.post(&path, &json!({"period": "2026-11"})).await;
    assert!(closing.status < 300, "{}", closing.body);
    officer.post(&format!("{path}/2026-11/reopening"), &json!({"reason": "Bổ sung"})).await.expect(201);
    while sotay::jobs::deliver(&world.app.state).await.unwrap() > 0 {}

    let listed = officer.get("/v1/events").await.expect(200);
    let items = listed.body["items"].as_array().unwrap();
    let types: Vec<_> = items.iter().map(|item| item["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["month.closed", "month.reopened"]);
    let data = json!({"closing_id": closing.id(), "unit_id": world.cell, "period": "2026-11"});
    assert_eq!(items[0]["data"], data);
    assert_eq!(items[1]["data"], data);
}

#[actix_web::test]
async fn a_system_that_cannot_be_called_reads_each_event_once() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let empty = officer.get("/v1/events").await.expect(200);
    assert_eq!(empty.body, json!({"items": [], "next_cursor": null, "more": false}));
    let mut published = Vec::new();
    for _ in 0..3 {
        published.push(publish(&world, &officer).await);
        while sotay::jobs::deliver(&world.app.state).await.unwrap() > 0 {}
    }
    let (mut read, mut path) = (Vec::new(), "/v1/events?limit=2".to_owned());
    loop {
        let page = officer.get(&path).await.expect(200).body;
        let items = page["items"].as_array().unwrap();
        read.extend(items.iter().map(|item| item["data"]["document_id"].as_str().unwrap().to_owned()));
        path = format!("/v1/events?limit=2&cursor={}", page["next_cursor"].as_str().unwrap());
        if page["more"] == false {
            break;
        }
    }
    assert_eq!(read, published);
    let again = officer.get(&path).await.expect(200).body;
    assert_eq!(again["items"], json!([]), "the cursor is kept when nothing is new");
    assert!(path.ends_with(again["next_cursor"].as_str().unwrap()));
}

#[actix_web::test]
async fn an_event_whose_transaction_ends_late_is_not_passed_over() {
    use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let mut slow =
        AsyncPgConnection::establish(&crate::support::database_url_as(&world.app, "sotay_app")).await.unwrap();
    let late = format!(
        "BEGIN; INSERT INTO webhook_events VALUES ('{id}', 'quiz.published', '{unit}', '{{\"quiz_id\": \"{id}\", \"unit_id\": \"{unit}\"}}', now());
         INSERT INTO webhook_feed VALUES ('{unit}', pg_current_xact_id()::text::bigint, '{id}')",
        id = uuid::Uuid::now_v7(),
        unit = world.ward
    );
    slow.batch_execute(&late).await.unwrap();
    publish(&world, &officer).await;
    while sotay::jobs::deliver(&world.app.state).await.unwrap() > 0 {}
    let before = officer.get("/v1/events").await.expect(200);
    assert_eq!(before.body["items"], json!([]), "what comes behind an open transaction waits for it");
    slow.batch_execute("COMMIT").await.unwrap();
    let after = officer.get("/v1/events").await.expect(200);
    assert_eq!(after.body["items"].as_array().unwrap().len(), 2, "{}", after.body);
}

#[actix_web::test]
async fn both_secrets_sign_during_a_rotation() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let hook = hook(&officer).await;
    let rotated = officer.post(&hook.path("/secret-rotation"), &json!({})).await.expect(201);
    let fresh = rotated.body["secret"].as_str().unwrap();
    assert_ne!(fresh, hook.secret);
    publish(&world, &officer).await;
    send(&world).await;
    let received = hook.receiver.expect(1).await;
    assert!(is_signed_by(&received[0], fresh) && is_signed_by(&received[0], &hook.secret));

    world.app.advance(24 * 3_600 + 1);
    publish(&world, &officer).await;
    send(&world).await;
    let received = hook.receiver.expect(2).await;
    assert!(is_signed_by(&received[1], fresh) && !is_signed_by(&received[1], &hook.secret));
}
