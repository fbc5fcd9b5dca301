//! Roles: giving, listing, revoking.

use serde_json::{Value, json};
use sotay::kernel::security::access::Role;
use uuid::Uuid;

use super::{contents, count};
use crate::decisions::confirm;
use crate::support::World;

fn grant(member: Uuid, role: &str, unit: Uuid) -> Value {
    json!({"member_id": member, "role": role, "unit_id": unit})
}

#[actix_web::test]
async fn officer_gives_lists_and_revokes_a_role() {
    let world = World::new().await;
    let (officer, member) = (world.organisation_officer().await, world.member().await);
    let board = format!("/v1/units/{}/members", world.cell);
    member.get(&board).await.expect(403);
    let asked = officer.post("/v1/grants", &grant(member.id, "cell_secretary", world.cell)).await.expect(202).body;
    member.get(&board).await.expect(403);
    confirm(&world.committee_officer().await, &asked).await.expect(200);
    member.get(&board).await.expect(200);
    let made = asked["object_id"].as_str().unwrap();
    let list = officer.get(&format!("/v1/units/{}/grants", world.cell)).await.expect(200);
    let given = &list.body["items"][0];
    assert_eq!((&given["account_id"], &given["id"]), (&json!(member.id.to_string()), &json!(made)));
    assert_eq!((&given["role"], &given["valid_from"]), (&json!("cell_secretary"), &json!("2026-11-20")));
    let path = format!("/v1/grants/{made}");
    officer.delete(&path).await.expect(204);
    officer.delete(&path).await.expect(204);
    member.get(&board).await.expect(403);
    // The history stays: who held what until when.
    let list = officer.get(&format!("/v1/units/{}/grants", world.cell)).await.expect(200);
    let revoked = list.body["items"].as_array().unwrap().iter().find(|grant| grant["id"] == *made).unwrap();
    assert!(revoked["revoked_at"].is_string());
    assert_eq!(count(&world.app, "audit_events WHERE action = 'grant.revoked'").await, 1);
    // A new secretary may follow.
    officer.post("/v1/grants", &grant(member.id, "cell_secretary", world.cell)).await.expect(202);
}

#[actix_web::test]
async fn nobody_reaches_further_by_giving_roles() {
    let world = World::new().await;
    let officer = world.officer(world.cell, Role::OrganisationOfficer, world.ward).await;
    let member = world.member().await;
    let far = world.member_of(world.other_cell, "Phan Thị Xa").await;
    let before = contents(&world.app).await;
    for (body, status) in [
        // To oneself, an equal, above, aside.
        (grant(officer.id, "minute_taker", world.cell), 403),
        (grant(member.id, "organisation_officer", world.ward), 403),
        (grant(member.id, "inspector", world.province), 403),
        (grant(member.id, "cell_secretary", world.other_cell), 404),
        // A member whom the officer may not know.
        (grant(far.id, "cell_secretary", world.cell), 404),
        (grant(Uuid::from_u128(5), "cell_secretary", world.cell), 404),
        // Roles that are not given here, or not on a cell.
        (grant(member.id, "system_administrator", world.cell), 422),
        (grant(member.id, "member", world.cell), 422),
        (grant(member.id, "inspector", world.cell), 422),
        (json!({"account_id": member.id, "role": "minute_taker", "unit_id": world.cell}), 404),
        (json!({"role": "minute_taker", "unit_id": world.cell}), 422),
        (json!({"member_id": member.id, "role": "king", "unit_id": world.cell}), 400),
        (json!({"member_id": member.id, "role": "minute_taker", "unit_id": world.cell, "granted_by": far.id}), 400),
        (
            json!({"member_id": member.id, "role": "minute_taker", "unit_id": world.cell, "valid_from": "2026-01-01"}),
            422,
        ),
        (json!({"member_id": member.id, "role": "minute_taker", "unit_id": world.cell, "valid_to": "2026-11-20"}), 422),
    ] {
        officer.post("/v1/grants", &body).await.expect(status);
    }
    assert_eq!(contents(&world.app).await, before);
}

#[actix_web::test]
async fn administrator_gives_roles_on_committees() {
    let world = World::new().await;
    let administrator = world.administrator().await;
    let member = world.member().await;
    administrator.post("/v1/grants", &grant(member.id, "organisation_officer", world.ward)).await.expect(202);
    administrator.post("/v1/grants", &grant(member.id, "cell_secretary", world.ward)).await.expect(422);
    let own = json!({"account_id": administrator.id, "role": "inspector", "unit_id": world.ward});
    administrator.post("/v1/grants", &own).await.expect(403);
    world.app.advance(60);
    let colleague = world.administrator().await;
    let body = json!({"account_id": colleague.id, "role": "propaganda_officer", "unit_id": world.ward});
    let made = administrator.post("/v1/grants", &body).await.expect(201).id();
    // The role of an administrator itself is no business of the API.
    let list = administrator.get(&format!("/v1/units/{}/grants", world.ward)).await.expect(200);
    assert_eq!(list.body["items"][0]["id"], made);
}

#[actix_web::test]
async fn a_cell_has_one_secretary_even_in_a_race() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    let mut bodies = Vec::new();
    for n in 0..10 {
        let name = ["An", "Bình", "Cúc", "Dũng", "Em", "Giang", "Hà", "Khoa", "Lan", "Minh"][n];
        let member = world.member_of(world.cell, &format!("Phan Văn {name}")).await;
        bodies.push(grant(member.id, "cell_secretary", world.cell));
    }
    let all = bodies.iter().map(|body| officer.post("/v1/grants", body));
    let asked = futures_util::future::join_all(all).await;
    let second = world.committee_officer().await;
    let all = asked.iter().map(|reply| confirm(&second, &reply.body));
    let replies = futures_util::future::join_all(all).await;
    assert_eq!(replies.iter().filter(|r| r.status == 200).count(), 1);
    assert_eq!(replies.iter().filter(|r| r.status == 409).count(), 9);
    let open = format!("grants WHERE role = 'cell_secretary' AND unit_id = '{}' AND revoked_at IS NULL", world.cell);
    assert_eq!(count(&world.app, &open).await, 1);
}

#[actix_web::test]
async fn who_may_give_list_and_revoke() {
    let world = World::new().await;
    let (officer, member) = (world.organisation_officer().await, world.member().await);
    let made = officer.post("/v1/grants", &grant(member.id, "minute_taker", world.cell)).await.expect(201).id();
    let path = format!("/v1/grants/{made}");
    let list = format!("/v1/units/{}/grants", world.cell);
    let sibling = world.officer(world.sibling, Role::CellSecretary, world.sibling).await;
    let body = grant(member.id, "deputy_secretary", world.cell);
    for (actor, write, read) in [
        (world.member().await, 403, 403),
        (world.outsider().await, 404, 404),
        (sibling, 404, 404),
        (world.secretary().await, 403, 403),
        (world.inspector().await, 403, 200),
        (world.propaganda_officer().await, 403, 403),
    ] {
        actor.post("/v1/grants", &body).await.expect(write);
        actor.delete(&path).await.expect(write);
        actor.get(&list).await.expect(read);
    }
    assert_eq!(count(&world.app, &format!("grants WHERE id = '{made}' AND revoked_at IS NULL")).await, 1);
    let committee = world.committee_officer().await;
    committee.post("/v1/grants", &body).await.expect(202);
    committee.delete(&path).await.expect(204);
}
