//! What a unit below says about a document to its own members.

use chrono::Days;
use serde_json::{Value, json};
use sotay::kernel::clock::day_of;
use uuid::Uuid;

use super::{draft_with, publish, published, read, recall, write};
use crate::support::{Actor, Reply, World};

fn path(unit: Uuid, document: &str) -> String {
    format!("/v1/units/{unit}/documents/{document}/cover-note")
}

async fn annotate(officer: &Actor, unit: Uuid, document: &str, body: &Value) -> Reply {
    officer.request("PUT", &path(unit, document)).json(body).send().await
}

/// A document of the ward for all its cells.
async fn for_the_ward(world: &World, officer: &Actor, changes: Value) -> String {
    let id = write(world, officer, &draft_with(changes)).await;
    publish(officer, &id, &[world.ward]).await.expect(200);
    id
}

async fn listed(member: &Actor, document: &str) -> Value {
    let list = member.get("/v1/documents").await.expect(200).body;
    list["items"].as_array().unwrap().iter().find(|item| item["id"] == document).cloned().unwrap_or_default()
}

fn in_days(world: &World, days: u64) -> String {
    (day_of(world.app.state.clock.now()) + Days::new(days)).to_string()
}

#[actix_web::test]
async fn a_cell_asks_for_an_earlier_day_and_its_members_see_why() {
    let world = World::new().await;
    let (officer, secretary) = (world.propaganda_officer().await, world.secretary().await);
    let (member, outsider) = (world.member().await, world.outsider().await);
    let (late, early) = (in_days(&world, 20), in_days(&world, 5));
    let id = for_the_ward(&world, &officer, json!({"must_read_by": late})).await;
    let cursor = member.get("/v1/sync").await.expect(200).body["next_cursor"].as_str().unwrap().to_owned();

    let note = json!({"must_read_by": early, "text": "Đọc kỹ Điều 2."});
    annotate(&secretary, world.cell, &id, &note).await.expect(200);

    let mine = listed(&member, &id).await;
    assert_eq!((&mine["must_read_by"], &mine["cover_notes"][0]["text"]), (&json!(early), &note["text"]));
    assert_eq!(mine["cover_notes"][0]["unit_name"], "Chi bộ Tổ dân phố số 5");
    let of_others = listed(&outsider, &id).await;
    assert_eq!((&of_others["must_read_by"], &of_others["cover_notes"]), (&json!(late), &json!([])));
    let detail = member.get(&format!("/v1/documents/{id}")).await.expect(200).body;
    assert_eq!((&detail["must_read_by"], &detail["cover_notes"][0]["must_read_by"]), (&json!(late), &json!(early)));
    let told = member.get(&format!("/v1/sync?cursor={cursor}")).await.expect(200).body;
    assert_eq!(told["documents"][0]["must_read_by"], json!(early));
    let found = member.get("/v1/documents?q=sinh%20hoat").await.expect(200).body;
    assert_eq!(found["items"][0]["must_read_by"], json!(early));
    assert_eq!(world.audit_count("document.cover_note_written").await, 1);
}

#[actix_web::test]
async fn the_day_counts_in_the_readings_of_the_unit() {
    let world = World::new().await;
    let (officer, secretary, other) =
        (world.propaganda_officer().await, world.secretary().await, world.inspector().await);
    let (idle, diligent, outsider) = (world.member().await, world.member().await, world.outsider().await);
    let id = for_the_ward(&world, &officer, json!({})).await;
    annotate(&secretary, world.cell, &id, &json!({"must_read_by": in_days(&world, 2)})).await.expect(200);
    read(&world, &diligent, &id).await;
    world.app.advance(3 * 86_400);

    let of_ward = format!("/v1/units/{}/readings", world.ward);
    let late = other.get(&format!("{of_ward}?overdue=true")).await.expect(200).body;
    let all = other.get(&of_ward).await.expect(200).body;

    let names = |page: &Value, who: &Actor| {
        page["items"].as_array().unwrap().iter().any(|row| row["member"]["id"] == who.id.to_string())
    };
    assert!(names(&late, &idle), "{late}");
    // The publisher asks for no confirmation: what a unit asks for is done when it is read.
    assert!(names(&all, &diligent) && !names(&late, &diligent), "{all}");
    assert!(!names(&all, &outsider), "the day is for the members of the cell alone");
}

#[actix_web::test]
async fn it_earns_nothing_and_ends_with_the_document() {
    let world = World::new().await;
    let (officer, secretary, member) =
        (world.propaganda_officer().await, world.secretary().await, world.member().await);
    let id = for_the_ward(&world, &officer, json!({})).await;
    annotate(&secretary, world.cell, &id, &json!({"must_read_by": in_days(&world, 2)})).await.expect(200);

    let confirmed = super::acknowledge(&member, &id).await;
    recall(&officer, &id).await.expect(200);
    let after = secretary.get(&path(world.cell, &id)).await;
    let readings = secretary.get(&format!("/v1/units/{}/readings", world.cell)).await.expect(200).body;

    assert_eq!(confirmed.status, 422, "a secretary alone makes no points");
    assert_eq!(after.status, 404);
    assert_eq!(readings["items"], json!([]));
}

#[actix_web::test]
async fn a_note_taken_back_is_gone_from_phones_too() {
    let world = World::new().await;
    let (officer, secretary, member) =
        (world.propaganda_officer().await, world.secretary().await, world.member().await);
    let id = for_the_ward(&world, &officer, json!({})).await;
    annotate(&secretary, world.cell, &id, &json!({"text": "Đọc trước."})).await.expect(200);
    let cursor = member.get("/v1/sync").await.expect(200).body["next_cursor"].as_str().unwrap().to_owned();

    secretary.delete(&path(world.cell, &id)).await.expect(204);

    let told = member.get(&format!("/v1/sync?cursor={cursor}")).await.expect(200).body;
    assert_eq!(told["documents"][0]["cover_notes"], json!([]));
    assert_eq!(secretary.delete(&path(world.cell, &id)).await.status, 404);
}

#[actix_web::test]
async fn days_and_texts_are_judged() {
    let world = World::new().await;
    let (officer, secretary) = (world.propaganda_officer().await, world.secretary().await);
    let id = for_the_ward(&world, &officer, json!({"must_read_by": in_days(&world, 10)})).await;
    let yesterday = day_of(world.app.state.clock.now()) - Days::new(1);
    for (body, status, code) in [
        (json!({"must_read_by": in_days(&world, 11)}), 422, "rule_not_met"),
        (json!({"must_read_by": yesterday}), 422, "rule_not_met"),
        (json!({"text": " "}), 422, "rule_not_met"),
        (json!({"text": "TỐI MẬT\nĐọc kỹ."}), 422, "secret_marking"),
        (json!({"text": "Đọc", "unit_id": world.ward}), 400, "invalid_request"),
    ] {
        let answer = annotate(&secretary, world.cell, &id, &body).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{body}");
    }
}

#[actix_web::test]
async fn only_officers_of_units_that_it_reaches_write_one() {
    let world = World::new().await;
    let (officer, secretary) = (world.propaganda_officer().await, world.secretary().await);
    let here = published(&world, &officer, json!({})).await;
    let note = json!({"text": "Đọc trước."});
    assert_eq!(annotate(&world.member().await, world.cell, &here, &note).await.status, 403);
    assert_eq!(annotate(&world.outsider().await, world.cell, &here, &note).await.status, 404);
    assert_eq!(annotate(&secretary, world.ward, &here, &note).await.status, 403);
    // It went to the other cell alone.
    let sibling = world.officer(world.sibling, sotay::kernel::security::access::Role::CellSecretary, world.sibling);
    assert_eq!(annotate(&sibling.await, world.sibling, &here, &note).await.status, 404);
    annotate(&officer, world.cell, &here, &note).await.expect(200);
}
