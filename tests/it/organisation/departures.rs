//! The end of a membership, and what those above the last cell may still do about it.

use serde_json::{Value, json};
use sotay::jobs;
use sotay::kernel::security::access::Role;
use uuid::Uuid;

use super::{contents, count};
use crate::closings::{IN_TIME, close};
use crate::support::{World, points_everywhere};

fn departure(member: Uuid) -> String {
    format!("/v1/members/{member}/departure")
}

fn body(reason: &str, last_day: &str) -> Value {
    json!({"reason": reason, "last_day": last_day})
}

#[actix_web::test]
async fn a_membership_that_ended_counts_nowhere_and_keeps_its_points() {
    let world = World::new().await;
    let (secretary, member, other) = (world.secretary().await, world.member().await, world.member().await);
    member.post("/v1/me/visits", &json!({})).await.expect(200);
    let transfer = json!({"to_unit_id": world.sibling, "reason": "Chuyển nơi cư trú"});
    secretary.post(&format!("/v1/members/{}/transfers", member.id), &transfer).await.expect(201);

    let done = secretary.post(&departure(member.id), &body("deceased", "2026-11-19")).await.expect(201).body;
    let expected = json!({"member_id": member.id, "unit_id": world.cell, "reason": "deceased", "last_day": "2026-11-19",
        "roles_ended": 0});
    assert_eq!(done, expected);
    secretary.post(&departure(member.id), &body("deceased", "2026-11-19")).await.expect(409);
    member.get("/v1/me").await.expect(401);
    assert_eq!(count(&world.app, "transfers WHERE state = 'withdrawn'").await, 1);

    let list = secretary.get(&format!("/v1/units/{}/members", world.cell)).await.expect(200).body;
    assert!(!list.to_string().contains(&member.id.to_string()));
    let board = secretary.get(&format!("/v1/units/{}/points", world.cell)).await.expect(200).body;
    assert_eq!((&board["summary"]["members"], &board["summary"]["counted"]), (&json!(2), &json!(2)));
    while jobs::project(&world.app.state).await.unwrap() {}
    assert_eq!(crate::support::sum_of_entries(&world.app, member.id).await, 1, "the ledger stays");
    assert_eq!(points_everywhere(&world, &other).await, 0);

    let profile = secretary.get(&format!("/v1/members/{}", member.id)).await.expect(200).body;
    assert_eq!((&profile["left_on"], &profile["cell"]["id"]), (&json!("2026-11-20"), &json!(world.cell)));
    let memberships = secretary.get(&format!("/v1/members/{}/memberships", member.id)).await.expect(200).body;
    assert_eq!(memberships["items"][0]["ended_because"], "deceased");
    assert_eq!(world.audit_count("member.departed").await, 1);
}

#[actix_web::test]
async fn those_above_the_last_cell_decide_on_what_is_left() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    let deputy = world.officer(world.cell, Role::DeputySecretary, world.cell).await;
    let above = world.committee_officer().await;
    member.post("/v1/me/visits", &json!({})).await.expect(200);
    let proposal = json!({"period": "2026-10", "points": 3, "reason": "Bỏ sót", "evidence": "Biên bản số 11-BB/CB"});
    let adjustments = format!("/v1/members/{}/point-adjustments", member.id);
    let waiting = secretary.post(&adjustments, &proposal).await.expect(201).id();
    secretary.post(&departure(member.id), &body("expelled", "2026-11-20")).await.expect(201);
    world.app.set_time("2026-11-21T08:00:00+07:00");
    let list =
        deputy.get(&format!("/v1/point-adjustments?unit_id={}&state=proposed", world.cell)).await.expect(200).body;
    assert_eq!(list["items"][0]["id"], waiting);
    deputy.post(&format!("/v1/point-adjustments/{waiting}/approval"), &json!({})).await.expect(200);
    secretary.post(&adjustments, &proposal).await.expect(201);
    above.get(&format!("/v1/members/{}/point-entries", member.id)).await.expect(200);
    let sibling = world.officer(world.sibling, Role::CellSecretary, world.sibling).await;
    sibling.get(&format!("/v1/members/{}", member.id)).await.expect(404);
    assert_eq!(crate::support::sum_of_entries(&world.app, member.id).await, 4);
}

#[actix_web::test]
async fn a_departure_changes_no_closed_month_and_no_time_to_come() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    world.app.set_time(IN_TIME);
    close(&secretary, world.cell).await.expect(200);
    let before = contents(&world.app).await;
    for (day, status) in [("2026-11-29", 409), ("2026-12-04", 422), ("2024-12-31", 422), ("2025-01-01", 409)] {
        secretary.post(&departure(member.id), &body("left", day)).await.expect(status);
    }
    for wrong in [json!({"reason": "tired", "last_day": "2026-12-01"}), json!({"reason": "left"})] {
        secretary.post(&departure(member.id), &wrong).await.expect(400);
    }
    assert_eq!(contents(&world.app).await, before);
    secretary.post(&departure(member.id), &body("left", "2026-11-30")).await.expect(201);
    assert_eq!(crate::verify::ledger_differs(&world).await, Vec::<String>::new());
}

#[actix_web::test]
async fn who_may_see_off_whom() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    let deputy = world.officer(world.cell, Role::DeputySecretary, world.cell).await;
    let superior = world.officer(world.cell, Role::CommitteeOfficer, world.ward).await;
    let left = body("left", "2026-11-20");
    assert_eq!(secretary.post(&departure(secretary.id), &left).await.expect(403).code(), "own_interest");
    for officer in [&deputy, &superior] {
        secretary.post(&departure(officer.id), &left).await.expect(403);
    }
    for (actor, status) in [
        (world.member().await, 403),
        (world.outsider().await, 404),
        (world.inspector().await, 403),
        (world.propaganda_officer().await, 403),
        (world.committee_officer().await, 403),
    ] {
        actor.post(&departure(member.id), &left).await.expect(status);
    }
    let officer = world.organisation_officer().await;
    let done = officer.post(&departure(deputy.id), &left).await.expect(201).body;
    assert_eq!(done["roles_ended"], 1);
    officer.post(&departure(superior.id), &left).await.expect(403);
    world.administrator().await.post(&departure(superior.id), &left).await.expect(201);
    assert_eq!(count(&world.app, "memberships WHERE ended_because IS NOT NULL").await, 2);
}
