//! Distribution to kinds of units, roles and named members.

use serde_json::{Value, json};

use super::{draft_with, write};
use crate::support::{Actor, Reply, World};

async fn publish_to(officer: &Actor, id: &str, audiences: Value) -> Reply {
    let body = json!({"audiences": audiences, "attests_no_state_secrets": true});
    officer.post(&format!("/v1/documents/{id}/publish"), &body).await
}

async fn sees(reader: &Actor, id: &str) -> bool {
    let list = reader.get("/v1/documents").await.expect(200).body;
    let listed = list["items"].as_array().unwrap().iter().any(|item| item["id"] == id);
    let found = reader.get("/v1/documents?q=ke%20hoach").await.expect(200).body;
    let found = found["items"].as_array().unwrap().iter().any(|item| item["id"] == id);
    let opened = reader.get(&format!("/v1/documents/{id}")).await.status == 200;
    assert!(listed == opened && found == opened, "list, search and document agree");
    opened
}

#[actix_web::test]
async fn a_document_goes_to_whom_it_names() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let (member, neighbour, outsider) = (world.member().await, world.member().await, world.outsider().await);
    let secretary = world.secretary().await;
    for (audience, expected) in [
        (json!({"kind": "member", "member_id": member.id}), [true, false, false, false]),
        (json!({"kind": "role", "unit_id": world.ward, "name": "cell_secretary"}), [false, false, false, true]),
        (json!({"kind": "unit_kind", "unit_id": world.ward, "name": "cell"}), [true, true, true, true]),
        (json!({"kind": "unit_kind", "unit_id": world.cell, "name": "cell"}), [true, true, false, true]),
    ] {
        let id = write(&world, &officer, &draft_with(json!({"text": audience.to_string()}))).await;
        let done = publish_to(&officer, &id, json!([audience])).await.expect(200);
        assert_eq!(done.body["audiences"], json!([audience]));
        for (reader, expected) in [&member, &neighbour, &outsider, &secretary].into_iter().zip(expected) {
            assert_eq!(sees(reader, &id).await, expected, "{audience}");
        }
    }
}

#[actix_web::test]
async fn audiences_lie_within_the_owning_unit() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let stranger = world.member_of(world.other_cell, "Vũ Thị Hoa").await;
    let id = write(&world, &officer, &draft_with(json!({}))).await;
    for wrong in [
        json!({"kind": "member", "member_id": stranger.id}),
        json!({"kind": "member", "unit_id": world.cell}),
        json!({"kind": "role", "unit_id": world.province, "name": "cell_secretary"}),
        json!({"kind": "role", "unit_id": world.cell, "name": "king"}),
        json!({"kind": "unit_kind", "unit_id": world.ward, "name": "castle"}),
        json!({"kind": "unit_kind", "unit_id": world.other_ward, "name": "cell"}),
    ] {
        let refused = publish_to(&officer, &id, json!([wrong])).await;
        assert_eq!((refused.status, refused.code()), (422, "rule_not_met"), "{wrong}");
    }
    assert_eq!(publish_to(&officer, &id, json!([])).await.status, 422);
}
