//! Documents through HTTP, by action. Here: what sets the scene.

mod announcements;
mod assisted;
mod audiences;
mod board;
mod cover_notes;
mod files;
mod fraud;
mod killed;
mod left_behind;
mod library;
mod personal;
mod publishing;
mod readership;
mod reading;
mod readings;
mod relations;
mod repeated;
mod review;
mod s3;
mod search;
mod shapes;
mod sync;
mod terms;
mod together;
mod versions;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Actor, Reply, World};

/// A draft that is accepted as it stands; 250 words, so that it takes a minute to read.
fn draft() -> Value {
    json!({
        "symbol": "98-KH/ĐU",
        "kind": "ke_hoach",
        "title": "Kế hoạch sinh hoạt chuyên đề quý IV",
        "summary": "Nội dung và thời gian sinh hoạt.",
        "text": "chữ ".repeat(250),
    })
}

/// The fields of a draft, some of them replaced.
pub fn draft_with(changes: Value) -> Value {
    let mut body = draft();
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// Writes a document of the ward.
async fn write(world: &World, officer: &Actor, body: &Value) -> String {
    let path = format!("/v1/units/{}/documents", world.ward);
    officer.post(&path, body).await.expect(201).id()
}

async fn publish(officer: &Actor, id: &str, unit_ids: &[Uuid]) -> Reply {
    let body = json!({"unit_ids": unit_ids, "attests_no_state_secrets": true});
    officer.post(&format!("/v1/documents/{id}/publish"), &body).await
}

/// Writes a document of the ward and publishes it to the cell.
pub async fn published(world: &World, officer: &Actor, changes: Value) -> String {
    let id = write(world, officer, &draft_with(changes)).await;
    publish(officer, &id, &[world.cell]).await.expect(200);
    id
}

pub async fn recall(officer: &Actor, id: &str) -> Reply {
    let body = json!({"reason": "Gửi nhầm đơn vị."});
    officer.post(&format!("/v1/documents/{id}/recall"), &body).await
}

/// Changes a document, with the tag of what it is now.
async fn change(officer: &Actor, id: &str, body: &Value) -> Reply {
    let path = format!("/v1/documents/{id}");
    let seen = officer.get(&path).await.expect(200);
    let request = officer.request("PATCH", &path);
    let tag = seen.header("etag").to_owned();
    request.header("If-Match", &tag).json(body).send().await
}

async fn start(reader: &Actor, document: &str) -> Reply {
    let path = format!("/v1/documents/{document}/reading-sessions");
    reader.post(&path, &json!({})).await
}

async fn beat(reader: &Actor, session: &str) -> Reply {
    let path = format!("/v1/reading-sessions/{session}/heartbeat");
    reader.post(&path, &json!({})).await
}

async fn complete(reader: &Actor, session: &str) -> Reply {
    let path = format!("/v1/reading-sessions/{session}/complete");
    reader.post(&path, &json!({})).await
}

async fn acknowledge(reader: &Actor, document: &str) -> Reply {
    let path = format!("/v1/documents/{document}/acknowledgement");
    reader.post(&path, &json!({})).await
}

/// Reads a document as a diligent member does. Returns what it earned.
pub async fn read(world: &World, reader: &Actor, document: &str) -> Reply {
    let session = start(reader, document).await.expect(201).id();
    world.app.advance(60);
    complete(reader, &session).await.expect(200)
}

/// The points that the secretary's board shows for a member; insists that the leaderboard says the same.
async fn on_board(world: &World, member: &Actor) -> i64 {
    let secretary = world.secretary().await;
    let path = format!("/v1/units/{}/points", world.cell);
    let board = secretary.get(&path).await.expect(200);
    let rows = board.body["items"].as_array().unwrap();
    let row = rows.iter().find(|row| row["member"]["id"] == member.id.to_string()).unwrap();
    let points = row["points"].as_i64().unwrap();
    let ranks = member.get("/v1/leaderboards/members").await.expect(200);
    assert_eq!(ranks.body["me"]["points"], points, "the leaderboard and the board differ");
    points
}
