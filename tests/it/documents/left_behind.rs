//! Documents of a committee that was merged: those above it open, change, recall and count them.

use serde_json::json;
use sotay::kernel::security::access::Role;

use super::{change, published, recall, write};
use crate::documents::draft_with;
use crate::support::World;

#[actix_web::test]
async fn documents_of_a_merged_committee_are_managed_from_above() {
    let world = World::new().await;
    let (ward_officer, member) = (world.propaganda_officer().await, world.member().await);
    let document = published(&world, &ward_officer, json!({})).await;
    let unpublished = write(&world, &ward_officer, &draft_with(json!({"symbol": "99-KH/ĐU"}))).await;
    let above = world.officer(world.other_cell, Role::CommitteeOfficer, world.province).await;
    let publisher = world.officer(world.other_cell, Role::PropagandaOfficer, world.province).await;
    let order = json!({
        "kind": "merge", "unit_ids": [world.ward], "into_unit_id": world.other_ward, "reason": "Quyết định số 12-QĐ/TU"
    });
    above.post("/v1/reorganisations", &order).await.expect(201);
    while sotay::jobs::deliver(&world.app.state).await.unwrap() > 0 {}
    world.app.advance(86_400);

    member.get(&format!("/v1/documents/{document}")).await.expect(200);
    let owned = publisher.get(&format!("/v1/units/{}/documents", world.ward)).await.expect(200).body;
    assert_eq!(owned["items"].as_array().unwrap().len(), 2, "{owned}");
    for id in [&document, &unpublished] {
        publisher.get(&format!("/v1/documents/{id}")).await.expect(200);
    }
    change(&publisher, &unpublished, &json!({"title": "Kế hoạch khác"})).await.expect(200);
    publisher.get(&format!("/v1/documents/{document}/readers")).await.expect(200);
    above.get(&format!("/v1/documents/{document}/readership?unit_id={}", world.ward)).await.expect(200);
    recall(&publisher, &document).await.expect(200);
    member.get(&format!("/v1/documents/{document}")).await.expect(404);
    // Nothing new is written there, and nobody beside it learns of it.
    publisher.post(&format!("/v1/units/{}/documents", world.ward), &draft_with(json!({}))).await.expect(404);
    let stranger = world.officer(world.other_cell, Role::PropagandaOfficer, world.cell).await;
    stranger.get(&format!("/v1/documents/{document}")).await.expect(404);
}

#[actix_web::test]
async fn what_a_merged_cell_leaves_can_be_read_from_above() {
    let world = World::new().await;
    let (officer, secretary) = (world.committee_officer().await, world.secretary().await);
    let organiser = world.organisation_officer().await;
    let leaving = world.member().await;
    let body = json!({"to_unit_id": world.sibling, "reason": "Chuyển nơi cư trú"});
    let transfer = organiser.post(&format!("/v1/members/{}/transfers", leaving.id), &body).await.expect(201).id();
    organiser.post(&format!("/v1/transfers/{transfer}/withdraw"), &json!({})).await.expect(200);
    let order = json!({
        "kind": "merge", "unit_ids": [world.cell], "into_unit_id": world.sibling, "reason": "Quyết định số 12-QĐ/ĐU"
    });
    officer.post("/v1/reorganisations", &order).await.expect(201);
    world.app.advance(86_400);
    let inspector = world.inspector().await;
    let read = async |what: &str| organiser.get(&format!("/v1/units/{}/{what}", world.cell)).await.expect(200).body;
    assert_eq!(read("transfers").await["items"][0]["id"], json!(transfer));
    let grants = inspector.get(&format!("/v1/units/{}/grants", world.cell)).await.expect(200).body;
    assert!(grants.to_string().contains(&secretary.id.to_string()), "{grants}");
    officer.get(&format!("/v1/units/{}/point-rule-changes", world.cell)).await.expect(200);
    // A withdrawn transfer stays decided, whatever became of its cells.
    organiser.post(&format!("/v1/transfers/{transfer}/withdraw"), &json!({})).await.expect(409);
}
