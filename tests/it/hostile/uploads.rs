//! Uploads that arrive slowly.

use diesel_async::RunQueryDsl;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Actor, World};

/// Sends the beginning of an upload, lets the test go on, then sends the rest. Returns the beginning of the answer.
async fn slow_upload(
    actor: &Actor,
    address: &str,
    path: &str,
    media: &str,
    body: Vec<u8>,
    between: impl AsyncFnOnce(),
) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: {media}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        actor.token,
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body[..100]).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    between().await;
    stream.write_all(&body[100..]).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).chars().take(12).collect()
}

#[actix_web::test]
async fn an_upload_does_not_outlast_the_right_to_it() {
    let world = World::new().await;
    let (secretary, officer) = (world.secretary().await, world.propaganda_officer().await);
    let body = json!({"symbol": "1-KH/ĐU", "kind": "ke_hoach", "title": "Kế hoạch", "text": "Một hai ba."});
    let document = officer.post(&format!("/v1/units/{}/documents", world.ward), &body).await.expect(201).id();
    let address = world.app.base_url.trim_start_matches("http://");
    let revoke = async || {
        let mut conn = world.app.state.db.conn().await.unwrap();
        diesel::sql_query("UPDATE grants SET revoked_at = created_at").execute(&mut *conn).await.unwrap();
    };
    let restore = async || {
        let mut conn = world.app.state.db.conn().await.unwrap();
        diesel::sql_query("UPDATE grants SET revoked_at = NULL").execute(&mut *conn).await.unwrap();
    };
    let roster = include_bytes!("../../fixtures/roster.xlsx").to_vec();
    let path = format!("/v1/imports?unit_id={}&dry_run=false", world.cell);
    let media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    assert_eq!(slow_upload(&secretary, address, &path, media, roster, revoke).await, "HTTP/1.1 403");
    restore().await;
    let pdf = include_bytes!("../../fixtures/12-KH-DU.pdf").to_vec();
    let path = format!("/v1/documents/{document}/files?filename=a.pdf");
    assert_eq!(slow_upload(&officer, address, &path, "application/pdf", pdf, revoke).await, "HTTP/1.1 404");
    restore().await;
    let list = secretary.get(&format!("/v1/units/{}/members", world.cell)).await.expect(200);
    assert_eq!(list.body["items"].as_array().unwrap().len(), 1, "nobody was imported");
    let files = officer.get(&format!("/v1/documents/{document}")).await.expect(200);
    assert_eq!(files.body["files"], json!([]));
}
