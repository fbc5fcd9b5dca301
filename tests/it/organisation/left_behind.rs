//! What a merged cell leaves behind: the units above take care of its lists and traces.

use serde_json::{Value, json};
use sotay::kernel::security::access::Role;

use crate::support::{Actor, World, points_everywhere};

/// The cell is merged into its sibling.
async fn merge(world: &World, officer: &Actor) {
    let order = json!({
        "kind": "merge", "unit_ids": [world.cell], "into_unit_id": world.sibling, "reason": "Quyết định số 12-QĐ/ĐU"
    });
    officer.post("/v1/reorganisations", &order).await.expect(201);
}

fn list(world: &World, day: &str, member: &Actor) -> Value {
    json!({"unit_id": world.cell, "kind": "thematic_meeting_attended", "day": day, "subject": "Học tập", "member_ids": [member.id]})
}

#[actix_web::test]
async fn a_meeting_before_a_merger_still_counts() {
    let world = World::new().await;
    let (officer, secretary, member) = (world.committee_officer().await, world.secretary().await, world.member().await);
    let neighbour = world.officer(world.sibling, Role::CellSecretary, world.sibling).await;
    let waiting = secretary.post("/v1/attestations", &list(&world, "2026-11-05", &member)).await.expect(201).id();
    merge(&world, &officer).await;

    let path = format!("/v1/attestations/{waiting}");
    neighbour.get(&path).await.expect(404);
    assert_eq!(officer.get(&path).await.expect(200).body["state"], "recorded");
    let of_ward = format!("/v1/attestations?unit_id={}&state=recorded", world.ward);
    assert_eq!(officer.get(&of_ward).await.expect(200).body["items"][0]["id"], json!(waiting));
    officer.post(&format!("{path}/confirmation"), &json!({})).await.expect(200);
    assert_eq!(points_everywhere(&world, &member).await, 5, "it was held in the cell of then");
    // No officer records for a cell that is gone: what is missing is an adjustment of the member's.
    secretary.post("/v1/attestations", &list(&world, "2026-11-06", &member)).await.expect(404);
}

#[actix_web::test]
async fn whoever_takes_the_report_of_an_ended_cell_leaves_a_trace_that_its_inspectors_see() {
    let world = World::new().await;
    let (officer, inspector) = (world.committee_officer().await, world.inspector().await);
    world.member().await;
    merge(&world, &officer).await;
    world.app.advance(86_400);
    officer.get(&format!("/v1/units/{}/points.csv?period=2026-10", world.cell)).await.expect(200);
    for unit in [world.ward, world.cell] {
        let seen = inspector.get(&format!("/v1/audit-events?unit_id={unit}&action=points.exported")).await.expect(200);
        assert_eq!(seen.body["items"].as_array().unwrap().len(), 1, "{}", seen.body);
    }
    let stranger = world.officer(world.other_cell, Role::Inspector, world.other_ward).await;
    stranger.get(&format!("/v1/audit-events?unit_id={}", world.cell)).await.expect(404);
}
