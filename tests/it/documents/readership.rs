//! Who opened, read and confirmed a document.

use serde_json::json;

use super::{acknowledge, published, read, recall};
use crate::support::World;

#[actix_web::test]
async fn readers_are_listed_by_name_after_a_recall_too() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let late = world.member_of(world.cell, "Đỗ Thị Lan").await;
    let id = published(&world, &officer, json!({})).await;
    read(&world, &member, &id).await;
    late.get(&format!("/v1/documents/{id}")).await.expect(200);
    recall(&officer, &id).await.expect(200);
    let path = format!("/v1/documents/{id}/readers");
    let inspector = world.inspector().await;
    let first = inspector.get(&format!("{path}?limit=1")).await.expect(200);
    assert_eq!(first.body["items"][0]["account_id"], member.id.to_string());
    assert!(first.body["items"][0]["completed_at"].is_string());
    let cursor = first.body["next_cursor"].as_str().unwrap();
    let rest = inspector.get(&format!("{path}?limit=1&cursor={cursor}")).await.expect(200);
    assert_eq!(rest.body["items"][0]["full_name"], "Đỗ Thị Lan");
    assert_eq!(rest.body["items"][0]["completed_at"], json!(null));
    assert_eq!(rest.body["next_cursor"], json!(null));
    assert_eq!(world.audit_count("document.readers_listed").await, 2);
}

#[actix_web::test]
async fn readers_are_not_for_members_nor_for_a_cell() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let id = published(&world, &officer, json!({})).await;
    let path = format!("/v1/documents/{id}/readers");
    assert_eq!(world.member().await.get(&path).await.status, 403);
    assert_eq!(world.secretary().await.get(&path).await.status, 403);
    assert_eq!(world.outsider().await.get(&path).await.status, 404);
    assert_eq!(world.administrator().await.get(&path).await.status, 404);
    assert_eq!(world.audit_count("document.readers_listed").await, 0);
}

#[actix_web::test]
async fn a_secretary_sees_how_far_it_has_come_in_their_cell() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let (second, third) = (world.member().await, world.member().await);
    let secretary = world.secretary().await;
    let id = published(&world, &officer, json!({"must_read_by": "2026-11-30"})).await;
    read(&world, &member, &id).await;
    acknowledge(&second, &id).await.expect(200);
    third.get(&format!("/v1/documents/{id}")).await.expect(200);
    let of = |unit| format!("/v1/documents/{id}/readership?unit_id={unit}");
    let counts = secretary.get(&of(world.cell)).await.expect(200);
    let expected = json!({"members": 4, "opened": 2, "completed": 1, "acknowledged": 1});
    assert_eq!(counts.body, expected);
    assert_eq!(secretary.get(&of(world.sibling)).await.status, 404);
    assert_eq!(member.get(&of(world.cell)).await.status, 403);
    let ward = world.committee_officer().await.get(&of(world.ward)).await.expect(200);
    assert_eq!(ward.body, expected);
    assert_eq!(officer.get(&of(world.sibling)).await.status, 404, "it does not reach there");
    assert_eq!(secretary.get(&format!("/v1/documents/{id}/readership")).await.status, 400);
}
