//! The board of a month's documents by the share that has read them.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{acknowledge, draft_with, publish, read, write};
use crate::support::{Actor, World};

async fn board(officer: &Actor, unit: Uuid) -> Vec<Value> {
    let page = officer.get(&format!("/v1/units/{unit}/document-readership")).await.expect(200).body;
    page["items"].as_array().unwrap().clone()
}

async fn for_the_ward(world: &World, officer: &Actor, changes: Value) -> String {
    let id = write(world, officer, &draft_with(changes)).await;
    publish(officer, &id, &[world.ward]).await.expect(200);
    id
}

/// So many members of a cell.
async fn members(world: &World, cell: Uuid, count: usize) -> Vec<Actor> {
    let mut members = Vec::new();
    for _ in 0..count {
        members.push(world.member_of(cell, "Nguyễn Văn An").await);
    }
    members
}

async fn exempt(world: &World, member: Uuid) {
    use diesel_async::RunQueryDsl;
    let row = format!(
        "INSERT INTO exemptions (id, member_id, kind, valid_from, reason, created_at)
         VALUES (gen_random_uuid(), '{member}', 'exempt', '2026-01-01', 'Tuổi cao', '2026-01-01')"
    );
    diesel::sql_query(row).execute(&mut *world.app.state.db.conn().await.unwrap()).await.unwrap();
}

#[actix_web::test]
async fn those_least_read_come_first() {
    let world = World::new().await;
    let (officer, inspector) = (world.propaganda_officer().await, world.inspector().await);
    let here = members(&world, world.cell, 6).await;
    exempt(&world, here[5].id).await;
    let day = sotay::kernel::clock::day_of(world.app.state.clock.now()) + chrono::Days::new(10);
    let dull = for_the_ward(&world, &officer, json!({"symbol": "1-KH/ĐU", "text": "chữ ".repeat(240)})).await;
    let good = for_the_ward(&world, &officer, json!({"symbol": "2-KH/ĐU", "must_read_by": day})).await;
    for reader in &here[..4] {
        read(&world, reader, &good).await;
    }
    acknowledge(&here[0], &good).await.expect(200);
    here[0].get(&format!("/v1/documents/{dull}")).await.expect(200);
    read(&world, &here[5], &dull).await;

    let rows = board(&inspector, world.cell).await;

    let figures = |row: &Value| {
        ["document_id", "counted", "opened", "read", "acknowledged", "share_read"].map(|field| row[field].clone())
    };
    let expected = [
        [json!(dull), json!(5), json!(1), json!(0), json!(0), json!(0.0)],
        [json!(good), json!(5), json!(4), json!(4), json!(1), json!(0.8)],
    ];
    assert_eq!(rows.iter().map(figures).collect::<Vec<_>>(), expected, "the exempt member is not counted");
    let page = format!("/v1/units/{}/document-readership?limit=1", world.cell);
    let first = inspector.get(&page).await.expect(200).body;
    let next = format!("{page}&cursor={}", first["next_cursor"].as_str().unwrap());
    assert_eq!(inspector.get(&next).await.expect(200).body["items"][0]["document_id"], json!(good));
    let file = format!("/v1/units/{}/document-readership/export", world.cell);
    assert!(inspector.get(&file).await.expect(200).bytes.starts_with(b"PK"));
    let before = format!("/v1/units/{}/document-readership?period=2026-10", world.cell);
    assert_eq!(inspector.get(&before).await.expect(200).body["items"], json!([]));
}

#[actix_web::test]
async fn a_document_counts_those_whom_it_reaches() {
    let world = World::new().await;
    let (officer, inspector) = (world.propaganda_officer().await, world.inspector().await);
    let secretary = world.secretary().await;
    members(&world, world.cell, 5).await;
    members(&world, world.sibling, 5).await;
    let to_cell = super::published(&world, &officer, json!({"symbol": "1-KH/ĐU"})).await;
    let to_role = write(&world, &officer, &draft_with(json!({"symbol": "2-KH/ĐU", "text": "chữ ".repeat(99)}))).await;
    let role = json!([{"kind": "role", "unit_id": world.ward, "name": "cell_secretary"}]);
    let publication = json!({"audiences": role, "attests_no_state_secrets": true});
    officer.post(&format!("/v1/documents/{to_role}/publish"), &publication).await.expect(200);

    let rows = board(&inspector, world.ward).await;

    let counted = |id: &str| rows.iter().find(|row| row["document_id"] == id).map(|row| row["counted"].clone());
    assert_eq!((counted(&to_cell), counted(&to_role)), (Some(json!(6)), Some(json!(1))));
    assert_eq!(board(&secretary, world.cell).await.len(), 2);
}

#[actix_web::test]
async fn few_persons_are_no_figure_also_by_subtraction() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    members(&world, world.cell, 7).await;
    let few = members(&world, world.sibling, 4).await;
    for_the_ward(&world, &officer, json!({})).await;

    let shown = [world.ward, world.cell, world.sibling].map(|unit| board(&officer, unit));
    let mut counted = Vec::new();
    for rows in shown {
        counted.push(rows.await[0]["counted"].clone());
    }
    // The ward less the first cell would be the second one.
    assert_eq!(counted, [json!(11), Value::Null, Value::Null]);
    let inspector = world.inspector().await;
    assert_eq!(board(&inspector, world.sibling).await[0]["counted"], 4, "an inspector may list the members");

    members(&world, world.sibling, 1).await;
    assert_eq!(board(&officer, world.cell).await[0]["counted"], 7);
    assert_eq!(few.len(), 4);
}

#[actix_web::test]
async fn the_board_is_for_those_who_see_readership() {
    let world = World::new().await;
    let path = format!("/v1/units/{}/document-readership", world.cell);
    assert_eq!(world.member().await.get(&path).await.status, 403);
    assert_eq!(world.outsider().await.get(&path).await.status, 404);
    world.secretary().await.get(&path).await.expect(200);
    world.committee_officer().await.get(&path).await.expect(200);
}
