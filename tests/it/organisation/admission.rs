//! Admitting single members.

use serde_json::{Value, json};
use sotay::kernel::security::access::Role;

use super::{contents, count, rows};
use crate::support::World;

fn person() -> Value {
    json!({"full_name": "ĐỖ VĂN ÚT", "birth_date": "1985-04-03", "sex": "male", "admitted_on": "2026-11-03", "citizen_id": "038185004321"})
}

fn but(field: &str, value: Value) -> Value {
    let mut body = person();
    body[field] = value;
    body
}

#[actix_web::test]
async fn secretary_admits() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let made = secretary.post(&format!("/v1/units/{}/members", world.cell), &person()).await.expect(201);
    assert_eq!((&made.body["full_name"], &made.body["status"]), (&json!("Đỗ Văn Út"), &json!("probationary")));
    assert_eq!(made.body["citizen_id"], "********4321");
    let id = made.id();
    let row = format!(
        "memberships WHERE member_id = '{id}' AND unit_id = '{}' AND origin = 'admitted' AND valid_from = '2026-11-20'",
        world.cell
    );
    assert_eq!(count(&world.app, &row).await, 1);
    let history = secretary.get(&format!("/v1/members/{id}/memberships")).await.expect(200);
    assert_eq!(history.body["items"][0]["unit_id"], world.cell.to_string());
    assert_eq!(
        count(&world.app, &format!("audit_events WHERE action = 'member.admitted' AND member_id = '{id}'")).await,
        1
    );
}

#[actix_web::test]
async fn who_may_admit() {
    let world = World::new().await;
    let sibling = world.officer(world.sibling, Role::CellSecretary, world.sibling).await;
    let path = format!("/v1/units/{}/members", world.cell);
    for (actor, status) in [
        (world.member().await, 403),
        (world.outsider().await, 404),
        (sibling, 404),
        (world.committee_officer().await, 403),
        (world.inspector().await, 403),
    ] {
        actor.post(&path, &person()).await.expect(status);
    }
    assert_eq!(count(&world.app, "members WHERE full_name = 'Đỗ Văn Út'").await, 0);
    let officer = world.organisation_officer().await;
    let ward = format!("/v1/units/{}/members", world.ward);
    assert_eq!(officer.post(&ward, &person()).await.expect(422).code(), "rule_not_met");
    officer.post(&path, &person()).await.expect(201);
    let administrator = world.administrator().await;
    administrator.post(&path, &but("citizen_id", json!("038185004322"))).await.expect(201);
}

#[actix_web::test]
async fn wrong_and_foreign_fields_change_nothing() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let path = format!("/v1/units/{}/members", world.cell);
    let before = contents(&world.app).await;
    for (field, value, code, status) in [
        ("citizen_id", json!("12345"), "pattern", 400),
        ("phone", json!("0243 123 456"), "phone_invalid", 422),
        ("birth_date", json!("2030-01-01"), "date_in_future", 422),
        ("birth_date", json!("2009-01-01"), "admitted_under_18", 422),
        ("full_name", json!("=1+1"), "formula", 422),
        ("full_name", json!("Đỗ 5"), "name_invalid", 422),
        ("official_on", json!("2026-11-01"), "official_before_admission", 422),
        ("sex", json!("other"), "not_an_option", 400),
        ("unit_id", json!(world.sibling), "unknown_field", 400),
        ("version", json!(7), "unknown_field", 400),
    ] {
        let reply = secretary.post(&path, &but(field, value)).await.expect(status);
        let codes: Vec<_> = reply.body["errors"].as_array().unwrap().iter().map(|e| e["code"].clone()).collect();
        assert!(codes.contains(&json!(code)), "{field}: {codes:?}");
    }
    assert_eq!(contents(&world.app).await, before);
}

#[actix_web::test]
async fn a_number_in_use_is_a_conflict_that_tells_nothing() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let officer = world.officer(world.other_cell, Role::CellSecretary, world.other_cell).await;
    let there = format!("/v1/units/{}/members", world.other_cell);
    officer.post(&there, &but("card_number", json!("038000000001"))).await.expect(201);
    let here = format!("/v1/units/{}/members", world.cell);
    let mut same_card = but("citizen_id", json!("038185000000"));
    same_card["card_number"] = json!("038000000001");
    for body in [person(), same_card] {
        let reply = secretary.post(&here, &body).await.expect(409);
        let text = String::from_utf8(reply.bytes).unwrap();
        assert!(
            !text.contains("Út") && !text.contains("0381") && !text.contains(&world.other_cell.to_string()),
            "{text}"
        );
    }
}

#[actix_web::test]
async fn ten_admissions_of_one_person_admit_one() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let (path, body) = (format!("/v1/units/{}/members", world.cell), person());
    let all = (0..10).map(|_| secretary.post(&path, &body));
    let mut statuses: Vec<u16> = futures_util::future::join_all(all).await.iter().map(|r| r.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(count(&world.app, "members WHERE full_name = 'Đỗ Văn Út'").await, 1);
}

#[actix_web::test]
async fn what_is_kept_for_a_repetition_does_not_give_the_number_away() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let body = person().to_string();
    let path = format!("/v1/units/{}/members", world.cell);
    let request = secretary.request("POST", &path).header("Idempotency-Key", "k1");
    request.bytes("application/json", body.as_bytes()).send().await.expect(201);
    let kept = rows(&world.app, "SELECT encode(body_hash, 'hex') AS hash, response::text FROM idempotency_keys").await;
    let plain = rows(&world.app, &format!("SELECT encode(sha256(convert_to('{body}', 'UTF8')), 'hex') AS hash")).await;
    let hash = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap()[0]["hash"].clone();
    assert_ne!(hash(&kept), hash(&plain));
    assert!(!kept.contains(person()["citizen_id"].as_str().unwrap()));
}
