//! The month's offer: for committees and publishers, and as a warning on publishing and recalling.

use serde_json::{Value, json};
use sotay::kernel::security::access::Role;
use uuid::Uuid;

use crate::support::{Actor, World};

async fn offer(actor: &Actor, unit: Uuid) -> Vec<Value> {
    let reply = actor.get(&format!("/v1/units/{unit}/points/offer")).await.expect(200);
    assert_eq!(reply.body["period"], "2026-11");
    reply.body["items"].as_array().unwrap().clone()
}

/// Publishes a document to units. Returns its id and the warning.
async fn publish(officer: &Actor, owner: Uuid, units: &[Uuid]) -> (String, Value) {
    let draft = json!({"symbol": "1-KH/ĐU", "kind": "ke_hoach", "title": "Kế hoạch", "text": "Một hai ba."});
    let id = officer.post(&format!("/v1/units/{owner}/documents"), &draft).await.expect(201).id();
    let publication = json!({"unit_ids": units, "attests_no_state_secrets": true});
    let done = officer.post(&format!("/v1/documents/{id}/publish"), &publication).await.expect(200);
    (id, done.body["month_offer"].clone())
}

/// Of so many cells so many fall short for members with a device, and so many for those without.
fn warning(cells: i32, short: i32, without: i32) -> Value {
    json!({"period": "2026-11", "cells": cells, "cells_short": short, "cells_short_without_device": without})
}

#[actix_web::test]
async fn it_adds_up_and_the_publisher_is_warned() {
    let world = World::new().await;
    let (publisher, inspector) = (world.propaganda_officer().await, world.inspector().await);
    // A visit a day up to 8 and the monthly meeting.
    let items = offer(&inspector, world.ward).await;
    assert_eq!(items.len(), 2);
    assert_eq!((&items[0]["with_device"], &items[0]["without_device"]), (&json!(16), &json!(16)));
    assert_eq!((&items[0]["threshold"], &items[0]["falls_short"]), (&json!(30), &json!(true)));
    for _ in 0..4 {
        assert_eq!(publish(&publisher, world.ward, &[world.ward]).await.1, warning(2, 2, 2));
    }
    assert_eq!(publish(&publisher, world.ward, &[world.cell]).await.1, warning(1, 0, 0));
    // Published to the cell and to the ward it is one document.
    let (last, warned) = publish(&publisher, world.ward, &[world.cell, world.ward]).await;
    assert_eq!(warned, warning(2, 0, 0));
    let items = offer(&publisher, world.ward).await;
    let points: Vec<&Value> = items.iter().map(|item| &item["with_device"]).collect();
    assert_eq!(points, [&json!(34), &json!(31)]);
    assert_eq!(offer(&publisher, world.cell).await[0]["with_device"], 34);
    let top = world.officer(world.other_cell, Role::CommitteeOfficer, world.province).await;
    let wards = offer(&top, world.province).await;
    let ward = wards.iter().find(|item| item["unit_id"] == json!(world.ward)).unwrap();
    assert_eq!((&ward["cells"], &ward["cells_short"], &ward["with_device"]), (&json!(2), &json!(0), &json!(31)));
    let recall = publisher.post(&format!("/v1/documents/{last}/recall"), &json!({"reason": "Gửi nhầm"})).await;
    assert_eq!(recall.expect(200).body["month_offer"], warning(2, 1, 1));
    assert_eq!(publisher.get(&format!("/v1/documents/{last}")).await.expect(200).body["month_offer"], Value::Null);
}

#[actix_web::test]
async fn the_publisher_is_warned_for_members_without_a_device_too() {
    let world = World::new().await;
    let (officer, publisher) = (world.committee_officer().await, world.propaganda_officer().await);
    let limit = json!({"rule": "assisted_session", "cap_month": 2, "valid_from": "2026-11-21"});
    let id = officer.post(&format!("/v1/units/{}/point-rule-changes", world.cell), &limit).await.expect(201).id();
    officer.post(&format!("/v1/point-rule-changes/{id}/publication"), &json!({})).await.expect(200);
    world.app.set_time("2026-11-21T08:00:00+07:00");
    for _ in 0..4 {
        publish(&publisher, world.ward, &[world.ward]).await;
    }
    let (last, warned) = publish(&publisher, world.ward, &[world.ward]).await;
    assert_eq!(warned, warning(2, 0, 1));
    let items = offer(&publisher, world.ward).await;
    let cell = items.iter().find(|item| item["unit_id"] == json!(world.cell)).unwrap();
    assert_eq!((&cell["with_device"], &cell["without_device"]), (&json!(31), &json!(25)));
    assert_eq!((&cell["cells_short"], &cell["cells_short_without_device"]), (&json!(0), &json!(1)));
    assert_eq!((&cell["falls_short"], &cell["falls_short_without_device"]), (&json!(false), &json!(true)));
    let recall = publisher.post(&format!("/v1/documents/{last}/recall"), &json!({"reason": "Gửi nhầm"})).await;
    assert_eq!(recall.expect(200).body["month_offer"], warning(2, 2, 2));
}

#[actix_web::test]
async fn limits_thresholds_and_months_count() {
    let world = World::new().await;
    let (officer, publisher) = (world.committee_officer().await, world.propaganda_officer().await);
    publish(&publisher, world.ward, &[world.ward]).await;
    let limit = json!({"rule": "daily_visit", "cap_month": 3, "valid_from": "2026-11-21"});
    let id = officer.post(&format!("/v1/units/{}/point-rule-changes", world.cell), &limit).await.expect(201).id();
    officer.post(&format!("/v1/point-rule-changes/{id}/publication"), &json!({})).await.expect(200);
    world.threshold(world.cell, 14, "2026-11-01").await;
    world.app.set_time("2026-11-21T08:00:00+07:00");
    let items = offer(&officer, world.ward).await;
    let of = |unit: Uuid| items.iter().find(|item| item["unit_id"] == json!(unit)).unwrap();
    let (cell, sibling) = (of(world.cell), of(world.sibling));
    assert_eq!(
        (&cell["with_device"], &cell["threshold"], &cell["falls_short"]),
        (&json!(14), &json!(14), &json!(false))
    );
    assert_eq!((&sibling["with_device"], &sibling["falls_short"]), (&json!(19), &json!(true)));
    // What came on offer last month, a diligent member has credit for.
    world.app.set_time("2026-12-02T08:00:00+07:00");
    let path = format!("/v1/units/{}/points/offer", world.ward);
    let december = officer.get(&path).await.expect(200);
    assert_eq!(december.body["items"][1]["with_device"], 16);
    officer.get(&format!("{path}?period=2027-01")).await.expect(400);
    for (actor, status) in [
        (&world.member().await, 403),
        (&world.secretary().await, 403),
        (&world.administrator().await, 403),
        (&world.officer(world.other_cell, Role::CommitteeOfficer, world.other_ward).await, 404),
    ] {
        actor.get(&path).await.expect(status);
    }
    let own = world.secretary().await.get(&format!("/v1/units/{}/points/offer", world.cell)).await.expect(200);
    assert_eq!(own.body["items"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn a_document_of_last_month_is_no_offer_of_this_month_after_a_merger() {
    let world = World::new().await;
    let (publisher, officer) = (world.propaganda_officer().await, world.committee_officer().await);
    publish(&publisher, world.ward, &[world.cell]).await;
    world.app.set_time("2026-12-02T08:00:00+07:00");
    let (new, _) = publish(&publisher, world.ward, &[world.cell]).await;
    let order =
        json!({"kind": "merge", "unit_ids": [world.cell], "into_unit_id": world.sibling, "reason": "Quyết định số 12"});
    officer.post("/v1/reorganisations", &order).await.expect(201);
    let member = world.outsider().await;
    for _ in 0..50 {
        sotay::jobs::deliver(&world.app.state).await.unwrap();
        if member.get(&format!("/v1/documents/{new}")).await.status == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(member.get("/v1/documents").await.expect(200).body["items"].as_array().unwrap().len(), 2);
    let month = officer.get(&format!("/v1/units/{}/points/offer", world.ward)).await.expect(200).body;
    // A visit a day up to 8, the monthly meeting, and the document of this month.
    assert_eq!(month["items"][0]["with_device"], 19);
}
