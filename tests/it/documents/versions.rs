//! New versions of published documents.

use serde_json::json;

use super::{acknowledge, beat, complete, draft_with, publish, published, read, recall, start, write};
use crate::support::{Actor, Reply, World};

const PDF: &[u8] = include_bytes!("../../fixtures/12-KH-DU.pdf");

async fn new_version(officer: &Actor, id: &str, body: serde_json::Value) -> Reply {
    officer.post(&format!("/v1/documents/{id}/versions"), &body).await
}

async fn add(officer: &Actor, id: &str, name: &str) -> Reply {
    let path = format!("/v1/documents/{id}/files?filename={name}");
    officer.request("POST", &path).bytes("application/pdf", PDF).send().await
}

#[actix_web::test]
async fn a_new_version_is_seen_when_it_is_published() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let id = published(&world, &officer, json!({"text": "Bản cũ"})).await;
    let path = format!("/v1/documents/{id}");
    assert_eq!(add(&officer, &id, "a.pdf").await.status, 409, "files come with a new version only");
    let written = new_version(&officer, &id, json!({"note": "Sửa Điều 2.", "text": "Bản mới"})).await.expect(201);
    assert_eq!((&written.body["version"], &written.body["state"]), (&json!(2), &json!("draft")));
    let file = add(&officer, &id, "a.pdf").await.expect(201).id();

    let before = member.get(&path).await.expect(200).body;
    assert_eq!((&before["text"], &before["version"], &before["files"]), (&json!("Bản cũ"), &json!(1), &json!([])));
    assert_eq!(before["next_version"], json!(null));
    member.get(&format!("{path}/files/{file}")).await.expect(404);
    member.get(&format!("{path}/files/{file}/text")).await.expect(404);
    assert_eq!(officer.get(&path).await.expect(200).body["next_version"]["files"][0]["id"], json!(file));

    publish(&officer, &id, &[]).await.expect(200);
    let after = member.get(&path).await.expect(200).body;
    assert_eq!((&after["text"], &after["version"]), (&json!("Bản mới"), &json!(2)));
    member.get(&format!("{path}/files/{file}")).await.expect(200);
    let versions = member.get(&format!("{path}/versions")).await.expect(200).body;
    let numbers: Vec<_> = versions["items"].as_array().unwrap().iter().map(|one| one["version"].clone()).collect();
    assert_eq!(numbers, [json!(2), json!(1)]);
}

#[actix_web::test]
async fn files_stay_unless_the_version_has_its_own() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let id = write(&world, &officer, &draft_with(json!({}))).await;
    let first = add(&officer, &id, "a.pdf").await.expect(201).id();
    publish(&officer, &id, &[world.cell]).await.expect(200);
    new_version(&officer, &id, json!({"note": "Chữ"})).await.expect(201);
    publish(&officer, &id, &[]).await.expect(200);
    let path = format!("/v1/documents/{id}");
    assert_eq!(member.get(&path).await.expect(200).body["files"][0]["id"], json!(first));
    new_version(&officer, &id, json!({"note": "Tệp"})).await.expect(201);
    let second = add(&officer, &id, "b.pdf").await.expect(201).id();
    publish(&officer, &id, &[]).await.expect(200);
    let files = member.get(&path).await.expect(200).body["files"].clone();
    assert_eq!((files.as_array().unwrap().len(), &files[0]["id"]), (1, &json!(second)));
    member.get(&format!("{path}/files/{first}")).await.expect(404);
}

#[actix_web::test]
async fn what_was_read_stays_credited_and_is_not_paid_again() {
    let world = World::new().await;
    let (officer, member, other) = (world.propaganda_officer().await, world.member().await, world.member().await);
    let id = published(&world, &officer, json!({"must_read_by": "2026-11-30"})).await;
    assert_eq!(read(&world, &member, &id).await.body["points_awarded"], 3);
    acknowledge(&member, &id).await.expect(200);
    let open = start(&other, &id).await.expect(201).id();
    new_version(&officer, &id, json!({"note": "Sửa", "text": "chữ ".repeat(250)})).await.expect(201);
    publish(&officer, &id, &[]).await.expect(200);
    world.app.advance(60);
    assert_eq!(beat(&other, &open).await.code(), "document_changed");
    assert_eq!(complete(&other, &open).await.code(), "document_changed");
    let seen = member.get(&format!("/v1/documents/{id}")).await.expect(200).body;
    assert_eq!((&seen["read"], &seen["acknowledged"]), (&json!(true), &json!(true)));
    assert_eq!(read(&world, &member, &id).await.body["points_awarded"], 0);
}

#[actix_web::test]
async fn readers_of_the_old_version_are_told() {
    let world = World::new().await;
    let (officer, reader, other) = (world.propaganda_officer().await, world.member().await, world.member().await);
    let id = published(&world, &officer, json!({})).await;
    reader.get(&format!("/v1/documents/{id}")).await.expect(200);
    new_version(&officer, &id, json!({"note": "Sửa", "text": "Bản mới"})).await.expect(201);
    publish(&officer, &id, &[]).await.expect(200);
    while sotay::jobs::deliver(&world.app.state).await.unwrap() > 0 {}
    let told = reader.get("/v1/me/notifications").await.expect(200).body;
    assert!(told.to_string().contains("document_version"), "{told}");
    let nothing = other.get("/v1/me/notifications").await.expect(200).body;
    assert!(!nothing.to_string().contains("document_version"));
}

#[actix_web::test]
async fn a_version_passes_the_gate_too() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let id = published(&world, &officer, json!({})).await;
    for marked in [json!({"note": "TỐI MẬT"}), json!({"note": "Sửa", "text": "MẬT\nNội dung"})] {
        assert_eq!(new_version(&officer, &id, marked).await.code(), "secret_marking");
    }
    assert_eq!(new_version(&member, &id, json!({"note": "x"})).await.status, 403);
    assert_eq!(new_version(&world.outsider().await, &id, json!({"note": "x"})).await.status, 404);
    let draft = write(&world, &officer, &draft_with(json!({}))).await;
    assert_eq!(new_version(&officer, &draft, json!({"note": "x"})).await.status, 409);
    recall(&officer, &id).await.expect(200);
    assert_eq!(new_version(&officer, &id, json!({"note": "x"})).await.status, 409);
}

#[actix_web::test]
async fn a_draft_of_a_version_can_be_written_anew() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let id = published(&world, &officer, json!({})).await;
    new_version(&officer, &id, json!({"note": "Sửa", "text": "Một"})).await.expect(201);
    let again = new_version(&officer, &id, json!({"note": "Sửa lại", "text": "Hai"})).await.expect(201);
    assert_eq!((&again.body["version"], &again.body["note"]), (&json!(2), &json!("Sửa lại")));
    let done = publish(&officer, &id, &[]).await.expect(200);
    assert_eq!(done.body["text"], "Hai");
}
