//! The inbox of a unit: who sees what, how it is decided, and who is notified.

use serde_json::{Value, json};
use sotay::kernel::security::access::Role;
use uuid::Uuid;

use super::{ask_role, confirm, inbox, refuse, roles_of, withdraw};
use crate::support::{Actor, World};

async fn told(world: &World, actor: &Actor, kind: &str) -> usize {
    while sotay::jobs::deliver(&world.app.state).await.unwrap() > 0 {}
    let list = actor.get("/v1/me/notifications").await.expect(200).body;
    list["items"].as_array().unwrap().iter().filter(|item| item["kind"] == kind).count()
}

#[actix_web::test]
async fn what_one_proposes_holds_when_a_second_confirms() {
    let world = World::new().await;
    let (officer, second, member) =
        (world.organisation_officer().await, world.committee_officer().await, world.member().await);

    let asked = ask_role(&officer, member.id, "cell_secretary", world.cell).await;

    assert_eq!(
        (&asked["kind"], &asked["state"], &asked["title"]),
        (&json!("role_grant"), &json!("waiting"), &json!("Giao vai trò"))
    );
    assert_eq!(asked["details"], json!({"role": "cell_secretary", "valid_from": "2026-11-20", "valid_to": null}));
    assert_eq!(roles_of(&world, member.id).await, 0);
    assert_eq!(inbox(&second, world.ward, "").await, [asked["id"].clone()]);
    assert_eq!(inbox(&second, world.sibling, "").await, Vec::<Value>::new());
    assert_eq!(
        (told(&world, &second, "decision_waiting").await, told(&world, &officer, "decision_waiting").await),
        (1, 0)
    );
    let done = confirm(&second, &asked).await.expect(200).body;
    assert_eq!((&done["state"], &done["decided_by"]), (&json!("confirmed"), &json!(second.id.to_string())));
    assert_eq!(roles_of(&world, member.id).await, 1);
    assert_eq!(inbox(&second, world.ward, "").await, Vec::<Value>::new());
    assert_eq!(inbox(&second, world.cell, "?state=confirmed&kind=role_grant").await, [asked["id"].clone()]);
    assert_eq!(inbox(&second, world.cell, "?state=confirmed&kind=role_holder_slip").await, Vec::<Value>::new());
    assert_eq!(told(&world, &officer, "decision_confirmed").await, 1);
    assert_eq!(told(&world, &member, "role_given").await, 1);
    confirm(&second, &asked).await.expect(409);
    refuse(&second, &asked).await.expect(409);
    withdraw(&officer, &asked).await.expect(409);
}

#[actix_web::test]
async fn the_proposer_and_whoever_is_at_stake_do_not_decide() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    // Holds a role above the cell and is to get another one in it.
    let concerned = world.officer(world.cell, Role::CommitteeOfficer, world.ward).await;

    let asked = ask_role(&officer, concerned.id, "deputy_secretary", world.cell).await;

    assert_eq!(confirm(&officer, &asked).await.expect(403).code(), "second_officer_required");
    assert_eq!(refuse(&officer, &asked).await.expect(403).code(), "second_officer_required");
    assert_eq!(confirm(&concerned, &asked).await.expect(403).code(), "own_interest");
    assert_eq!(refuse(&concerned, &asked).await.expect(403).code(), "own_interest");
    // Above the cell, not in it; and known only there.
    confirm(&world.secretary().await, &asked).await.expect(403);
    confirm(&world.inspector().await, &asked).await.expect(403);
    confirm(&world.outsider().await, &asked).await.expect(404);
    let far = world.officer(world.other_cell, Role::CommitteeOfficer, world.other_ward).await;
    confirm(&far, &asked).await.expect(404);
    confirm(&world.administrator().await, &asked).await.expect(200);
}

#[actix_web::test]
async fn a_refusal_has_a_reason_and_only_the_proposer_withdraws() {
    let world = World::new().await;
    let (officer, second, member) =
        (world.organisation_officer().await, world.committee_officer().await, world.member().await);

    let first = ask_role(&officer, member.id, "deputy_secretary", world.cell).await;
    let again = json!({"member_id": member.id, "role": "deputy_secretary", "unit_id": world.cell});
    officer.post("/v1/grants", &again).await.expect(409);
    let refused = refuse(&second, &first).await.expect(200).body;
    let asked = ask_role(&officer, member.id, "deputy_secretary", world.cell).await;
    withdraw(&second, &asked).await.expect(403);
    let withdrawn = withdraw(&officer, &asked).await.expect(200).body;

    assert_eq!((&refused["state"], &refused["decision_reason"]), (&json!("declined"), &json!("chưa có nghị quyết")));
    assert_eq!(told(&world, &officer, "decision_declined").await, 1);
    assert_eq!(withdrawn["state"], "withdrawn");
    confirm(&second, &asked).await.expect(409);
    assert_eq!(roles_of(&world, member.id).await, 0);
}

#[actix_web::test]
async fn what_waited_for_too_long_is_over() {
    let world = World::new().await;
    let (officer, second, member) =
        (world.organisation_officer().await, world.committee_officer().await, world.member().await);
    let asked = ask_role(&officer, member.id, "deputy_secretary", world.cell).await;

    world.app.advance(30 * 86_400);

    let path = format!("/v1/decisions/{}", asked["id"].as_str().unwrap());
    assert_eq!(second.get(&path).await.expect(200).body["state"], "expired");
    assert_eq!(inbox(&second, world.ward, "").await, Vec::<Value>::new());
    assert_eq!(inbox(&second, world.ward, "?state=expired").await, [asked["id"].clone()]);
    assert_eq!(confirm(&second, &asked).await.expect(410).code(), "decision_expired");
    withdraw(&officer, &asked).await.expect(410);
    let kinds = sotay::app::DECISION_KINDS;
    let now = world.app.state.clock.now();
    let swept =
        async |conn: &mut sotay::kernel::db::Conn| sotay::organisation::decisions::expire(conn, kinds, now).await;
    assert!(!world.app.state.db.transaction(swept).await.unwrap());
    assert_eq!(confirm(&second, &asked).await.expect(410).code(), "decision_expired");
    assert_eq!(inbox(&second, world.ward, "?state=expired").await, [asked["id"].clone()]);
    assert_eq!(told(&world, &officer, "decision_expired").await, 1);
    assert_eq!(roles_of(&world, member.id).await, 0);
}

#[actix_web::test]
async fn the_proposers_right_is_looked_at_again() {
    let world = World::new().await;
    let (officer, second, member) =
        (world.organisation_officer().await, world.committee_officer().await, world.member().await);
    let asked = ask_role(&officer, member.id, "deputy_secretary", world.cell).await;

    let mut conn = world.app.state.db.conn().await.unwrap();
    let revoke = format!("UPDATE grants SET revoked_at = now() WHERE account_id = '{}'", officer.id);
    diesel_async::RunQueryDsl::execute(diesel::sql_query(revoke), &mut *conn).await.unwrap();

    confirm(&second, &asked).await.expect(409);
    refuse(&second, &asked).await.expect(200);
    assert_eq!(roles_of(&world, member.id).await, 0);
}

#[actix_web::test]
async fn fifty_are_confirmed_at_once_and_one_that_fails_undoes_no_other() {
    let world = World::new().await;
    let (officer, second) = (world.organisation_officer().await, world.committee_officer().await);
    let mut ids = Vec::new();
    let mut people = Vec::new();
    for _ in 0..47 {
        let member = world.member().await;
        ids.push(ask_role(&officer, member.id, "cell_committee_member", world.cell).await["id"].clone());
        people.push(member.id);
    }
    let own = ask_role(&second, people[0], "deputy_secretary", world.cell).await["id"].clone();
    let elsewhere = ask_role(&officer, people[1], "deputy_secretary", world.sibling).await["id"].clone();
    ids.extend([own.clone(), elsewhere.clone(), json!(Uuid::from_u128(7))]);
    let path = format!("/v1/units/{}/decisions/confirmations", world.cell);

    let reply = second.post(&path, &json!({"decision_ids": ids})).await.expect(200).body;

    let items = reply["items"].as_array().unwrap();
    let asked: Vec<&Value> = items.iter().map(|item| &item["decision_id"]).collect();
    assert_eq!(asked, ids.iter().collect::<Vec<_>>());
    let confirmed = items.iter().filter(|item| item["decision"]["state"] == "confirmed" && item["problem"].is_null());
    assert_eq!(confirmed.count(), 47);
    let failures: Vec<&str> = items[47..].iter().map(|item| item["problem"]["code"].as_str().unwrap()).collect();
    assert_eq!(failures, ["second_officer_required", "not_found", "not_found"]);
    for person in people {
        assert_eq!(roles_of(&world, person).await, 1);
    }
    let left = inbox(&officer, world.ward, "").await;
    assert!(left.len() == 2 && left.contains(&elsewhere) && left.contains(&own), "{left:?}");
    ids.push(json!(Uuid::from_u128(8)));
    second.post(&path, &json!({"decision_ids": ids})).await.expect(400);
    second.post(&path, &json!({"decision_ids": []})).await.expect(400);
    second.post(&path, &json!({"decision_ids": [ids[0], ids[0]]})).await.expect(422);
    world.outsider().await.post(&path, &json!({"decision_ids": [ids[0]]})).await.expect(404);
    world.member().await.post(&path, &json!({"decision_ids": [ids[0]]})).await.expect(403);
}

#[actix_web::test]
async fn the_inbox_is_paged_and_shows_each_officer_their_kinds() {
    let world = World::new().await;
    let (officer, secretary) = (world.organisation_officer().await, world.secretary().await);
    let deputy = world.officer(world.cell, Role::DeputySecretary, world.cell).await;
    for _ in 0..3 {
        ask_role(&officer, world.member().await.id, "cell_committee_member", world.cell).await;
    }
    world.app.advance(1);
    let slip =
        secretary.post(&format!("/v1/members/{}/activation-slips", deputy.id), &json!({})).await.expect(202).body;

    let path = format!("/v1/units/{}/decisions?limit=3", world.ward);
    let first = officer.get(&path).await.expect(200).body;
    let next = format!("{path}&cursor={}", first["next_cursor"].as_str().unwrap());
    let second = officer.get(&next).await.expect(200).body;

    let (first, second) = (first["items"].as_array().unwrap(), second["items"].as_array().unwrap());
    assert_eq!((first.len(), second.len()), (3, 1));
    assert_eq!(first[0]["id"], slip["id"]);
    // The secretary gives no roles; an inspector sees all.
    assert_eq!(inbox(&secretary, world.cell, "").await, [slip["id"].clone()]);
    assert_eq!(inbox(&world.inspector().await, world.cell, "").await.len(), 4);
    world.member().await.get(&format!("/v1/units/{}/decisions", world.cell)).await.expect(403);
    world.outsider().await.get(&format!("/v1/units/{}/decisions", world.cell)).await.expect(404);
    secretary.get(&format!("/v1/units/{}/decisions", world.ward)).await.expect(403);
}
