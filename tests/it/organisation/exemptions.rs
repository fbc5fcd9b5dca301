//! Exemptions: recording, listing, ending.

use serde_json::json;
use sotay::kernel::access::Role;

use super::{contents, count};
use crate::support::World;

#[actix_web::test]
async fn secretary_records_lists_and_ends() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    let path = format!("/v1/members/{}/exemptions", member.id);
    let body = json!({"kind": "exempt", "valid_from": "2026-11-01", "reason": "Tuổi cao"});
    let made = secretary.post(&path, &body).await.expect(201);
    assert_eq!((&made.body["valid_to"], &made.body["reason"]), (&json!(null), &json!("Tuổi cao")));
    let overlapping = json!({"kind": "exempt", "valid_from": "2027-01-01", "reason": "Tuổi cao"});
    assert_eq!(secretary.post(&path, &overlapping).await.expect(409).code(), "conflict");
    // Another kind may overlap, and one that ends before the other begins does not.
    let excused =
        json!({"kind": "excused", "valid_from": "2026-11-01", "valid_to": "2026-11-15", "reason": "Đi công tác"});
    secretary.post(&path, &excused).await.expect(201);
    let earlier = json!({"kind": "exempt", "valid_from": "2026-10-01", "valid_to": "2026-11-01", "reason": "Ốm"});
    secretary.post(&path, &earlier).await.expect(201);

    let end = format!("/v1/exemptions/{}/end", made.id());
    let ended = secretary.post(&end, &json!({"valid_to": "2026-12-01"})).await.expect(200);
    assert_eq!(ended.body["valid_to"], "2026-12-01");
    for day in ["2026-11-01", "2027-01-01"] {
        secretary.post(&end, &json!({"valid_to": day})).await.expect(422);
    }
    let first = secretary.get(&format!("{path}?limit=2")).await.expect(200);
    let cursor = first.body["next_cursor"].as_str().unwrap();
    let second = secretary.get(&format!("{path}?limit=2&cursor={cursor}")).await.expect(200);
    assert_eq!(first.body["items"].as_array().unwrap().len(), 2);
    assert_eq!(second.body["items"][0]["valid_from"], "2026-10-01");
    let audited = format!("audit_events WHERE member_id = '{}' AND action LIKE 'exemption.%'", member.id);
    assert_eq!(count(&world.app, &audited).await, 4);
}

#[actix_web::test]
async fn nobody_exempts_themselves() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let other = world.officer(world.cell, Role::DeputySecretary, world.cell).await;
    let path = format!("/v1/members/{}/exemptions", secretary.id);
    let body = json!({"kind": "exempt", "valid_from": "2026-11-01", "reason": "Bận"});
    assert_eq!(secretary.post(&path, &body).await.expect(403).code(), "forbidden");
    assert_eq!(count(&world.app, "exemptions").await, 0);
    let made = other.post(&path, &body).await.expect(201);
    let end = format!("/v1/exemptions/{}/end", made.id());
    secretary.post(&end, &json!({"valid_to": "2026-11-20"})).await.expect(403);
}

#[actix_web::test]
async fn who_may_record_and_end() {
    let world = World::new().await;
    let member = world.member().await;
    let path = format!("/v1/members/{}/exemptions", member.id);
    let body = json!({"kind": "exempt", "valid_from": "2026-11-01", "reason": "Tuổi cao"});
    let officer = world.organisation_officer().await;
    let made = officer.post(&path, &body).await.expect(201).id();
    let end = format!("/v1/exemptions/{made}/end");
    let sibling = world.officer(world.sibling, Role::CellSecretary, world.sibling).await;
    let actors = [
        (world.member().await, 403, 403),
        (world.outsider().await, 404, 404),
        (sibling, 404, 404),
        (world.committee_officer().await, 403, 200),
        (world.inspector().await, 403, 200),
        (world.propaganda_officer().await, 403, 403),
    ];
    let before = count(&world.app, "exemptions WHERE valid_to IS NULL").await;
    for (actor, write, read) in actors {
        actor.post(&path, &body).await.expect(write);
        actor.post(&end, &json!({"valid_to": "2026-12-01"})).await.expect(write);
        actor.get(&path).await.expect(read);
    }
    assert_eq!(count(&world.app, "exemptions WHERE valid_to IS NULL").await, before);
    world.administrator().await.post(&end, &json!({"valid_to": "2026-12-01"})).await.expect(200);
    officer.post("/v1/exemptions/none/end", &json!({"valid_to": "2026-12-01"})).await.expect(404);
}

#[actix_web::test]
async fn wrong_input_and_races() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    let path = format!("/v1/members/{}/exemptions", member.id);
    let before = contents(&world.app).await;
    for body in [
        json!({"kind": "free", "valid_from": "2026-11-01", "reason": "a"}),
        json!({"kind": "exempt", "valid_from": "2026-11-01", "valid_to": "2026-11-01", "reason": "a"}),
        json!({"kind": "exempt", "valid_from": "2026-11-01", "reason": "  "}),
        json!({"kind": "exempt", "valid_from": "2026-11-01"}),
        json!({"kind": "exempt", "valid_from": "2026-11-01", "reason": "a", "recorded_by": member.id}),
    ] {
        secretary.post(&path, &body).await.expect(400);
    }
    assert_eq!(contents(&world.app).await, before);
    let body = json!({"kind": "exempt", "valid_from": "2026-11-01", "reason": "a"});
    let all = (0..10).map(|_| secretary.post(&path, &body));
    let replies = futures_util::future::join_all(all).await;
    assert_eq!(replies.iter().filter(|r| r.status == 201).count(), 1);
    assert_eq!(replies.iter().filter(|r| r.status == 409).count(), 9);
}
