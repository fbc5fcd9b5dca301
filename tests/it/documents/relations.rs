//! Documents that replace, repeal, amend and guide others.

use serde_json::{Value, json};
use sotay::kernel::security::access::Role;

use super::{publish, published, recall, start, write};
use crate::documents::draft_with;
use crate::support::{Actor, Reply, World};

async fn relate(officer: &Actor, id: &str, relations: Value) -> Reply {
    officer.request("PUT", &format!("/v1/documents/{id}/relations")).json(&json!({"relations": relations})).send().await
}

#[actix_web::test]
async fn a_replaced_document_is_found_as_such_and_earns_no_more() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let old = published(&world, &officer, json!({"symbol": "12-KH/ĐU"})).await;
    let new = write(&world, &officer, &draft_with(json!({"symbol": "13-KH/ĐU"}))).await;
    relate(&officer, &new, json!([{"kind": "replaces", "document_id": old}])).await.expect(200);
    let seen = async || member.get(&format!("/v1/documents/{old}")).await.expect(200).body;
    assert_eq!(seen().await["state"], "published", "a draft replaces nothing");
    publish(&officer, &new, &[world.cell]).await.expect(200);
    assert_eq!((&seen().await["state"], &seen().await["superseded_by"]), (&json!("superseded"), &json!(new)));
    let list = member.get("/v1/documents?state=superseded").await.expect(200).body;
    assert_eq!((&list["items"][0]["id"], &list["items"][0]["superseded_by"]), (&json!(old), &json!(new)));
    assert_eq!(start(&member, &old).await.status, 409);
    let shown = member.get(&format!("/v1/documents/{new}")).await.expect(200).body;
    assert_eq!(shown["relations"][0]["symbol"], "12-KH/ĐU");

    recall(&officer, &new).await.expect(200);
    assert_eq!((&seen().await["state"], &seen().await["superseded_by"]), (&json!("published"), &json!(null)));
    start(&member, &old).await.expect(201);
}

#[actix_web::test]
async fn relations_can_be_taken_back() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let old = published(&world, &officer, json!({"symbol": "12-KH/ĐU"})).await;
    let new = published(&world, &officer, json!({"symbol": "13-KH/ĐU"})).await;
    relate(&officer, &new, json!([{"kind": "repeals", "document_id": old}])).await.expect(200);
    let state = async || officer.get(&format!("/v1/documents/{old}")).await.expect(200).body["state"].clone();
    assert_eq!(state().await, "superseded");
    relate(&officer, &new, json!([{"kind": "amends", "document_id": old}])).await.expect(200);
    assert_eq!(state().await, "published");
    relate(&officer, &new, json!([])).await.expect(200);
    assert_eq!(officer.get(&format!("/v1/documents/{new}")).await.expect(200).body["relations"], json!([]));
}

#[actix_web::test]
async fn replacing_needs_the_right_to_the_other_document() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let above = world.officer(world.cell, Role::PropagandaOfficer, world.province).await;
    let body = draft_with(json!({"symbol": "1-NQ/TU"}));
    let theirs = above.post(&format!("/v1/units/{}/documents", world.province), &body).await.expect(201).id();
    let own = published(&world, &officer, json!({"symbol": "2-KH/ĐU"})).await;
    let with = |kind: &str, id: &str| json!([{"kind": kind, "document_id": id}]);
    assert_eq!(relate(&officer, &own, with("replaces", &theirs)).await.status, 422, "unknown to the officer");
    publish(&above, &theirs, &[world.province]).await.expect(200);
    // The ward's officer belongs to a cell of it, which the document reaches.
    let officer = world.officer(world.cell, Role::PropagandaOfficer, world.ward).await;
    assert_eq!(relate(&officer, &own, with("replaces", &theirs)).await.status, 403);
    relate(&officer, &own, with("guides", &theirs)).await.expect(200);
    for (kind, id) in [("replaces", own.as_str()), ("replaces", "01949d6c-7c00-7000-8000-000000000001")] {
        assert_eq!(relate(&officer, &own, with(kind, id)).await.status, 422);
    }
    assert_eq!(relate(&world.member().await, &own, json!([])).await.status, 403);
    assert_eq!(relate(&world.outsider().await, &own, json!([])).await.status, 404);
}
