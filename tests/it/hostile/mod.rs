//! Right requests to existing objects with one part spoilt: always 4xx that names the part, never 5xx, no changes.

mod attack;
mod bodies;
mod cursors;
mod findings;
mod fingerprint;
mod queries;
mod uploads;
mod values;

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use crate::permissions::first_let_in;
use crate::stage::{self, Cast, Operation};
use crate::support::{Reply, World};
use attack::attack;
use findings::{Findings, is_refusal};
use fingerprint::Watch;

#[track_caller]
fn refused(reply: &Reply, what: &str) {
    assert!(is_refusal(reply), "{what}: {} {}", reply.status, String::from_utf8_lossy(&reply.bytes));
}

/// Attacks operations one after the other, each as the first caller whom the table of permissions lets in.
async fn attack_all(operations: Vec<Operation>) -> Findings {
    let cast = Cast::new().await;
    let mut watch = Watch::over(&cast.world).await;
    let mut all = Findings::default();
    for operation in &operations {
        let scene = stage::set(&cast, operation, first_let_in(&operation.id)).await;
        watch.settle().await;
        let before = watch.take().await;
        let mut findings = attack(&scene).await;
        let changed = before.differences(&watch.take().await);
        if !changed.is_empty() {
            findings.faults.push(format!("{}: wrong input changed {changed:?}", operation.id));
        }
        // The very objects that were attacked: none of the refusals was for want of them.
        let right = scene.send().await;
        if !(200..400).contains(&right.status) {
            findings.fault(&format!("{}: the right request", operation.id), &right);
        }
        all = all.join(findings);
    }
    all
}

#[test]
fn no_operation_breaks_or_changes_anything_on_wrong_input() {
    let found = stage::in_worlds(attack_all).into_iter().fold(Findings::default(), Findings::join);
    println!("{} wrong requests", found.sent);
    assert!(found.faults.is_empty(), "{} faults:\n{}", found.faults.len(), found.faults.join("\n"));
    assert!(found.sent > 4_000, "only {} wrong requests", found.sent);
}

#[actix_web::test]
async fn ids_that_are_none_are_not_found() {
    let world = World::new().await;
    let member = world.member().await;
    for path in [
        "/v1/units/x",
        "/v1/units/%00",
        "/v1/members/..%2f..",
        "/v1/nothing",
        "/v1/units/00000000-0000-0000-0000-000000000000",
    ] {
        let reply = member.get(path).await;
        refused(&reply, path);
        assert_eq!(reply.status, 404, "{path}");
    }
}

#[actix_web::test]
async fn a_hundred_megabytes_are_refused_without_being_read() {
    let world = World::new().await;
    let member = world.member().await;
    let address = world.app.base_url.trim_start_matches("http://").to_owned();
    let token = member.token.clone();
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
        let head = format!(
            "POST /v1/me/visits HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 104857600\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let chunk = vec![b' '; 65_536];
        let mut sent = 0;
        // The server may close before it has everything: that is the point.
        while sent < 104_857_600 && stream.write_all(&chunk).is_ok() {
            sent += chunk.len();
        }
        let mut answer = vec![0; 4096];
        let read = stream.read(&mut answer).unwrap_or(0);
        (String::from_utf8_lossy(&answer[..read]).into_owned(), sent)
    })
    .await
    .unwrap();
    assert!(answer.0.starts_with("HTTP/1.1 413") || answer.1 < 104_857_600, "{} after {} bytes", answer.0, answer.1);
    member.post("/v1/me/visits", &json!({})).await.expect(200);
}

#[actix_web::test]
async fn an_escaped_path_is_the_same_path_with_the_same_rules() {
    let world = World::new().await;
    let member = world.member().await;
    for path in ["/v1/%6de?surplus=1", "/v1/%6de/points/entries?limit=201", "/%76%31/me/points/entries?limit=-1"] {
        let reply = member.get(path).await;
        refused(&reply, path);
        assert_eq!(reply.code(), "invalid_request", "{path}");
        assert!(!reply.header("ratelimit").is_empty(), "{path} costs nothing");
    }
    let visit = member.post("/v1/me/%76isits", &json!({})).await.expect(200);
    assert_eq!(visit.body["points_awarded"], 1);
    let wrong = member.request("PUT", "/v1/%6de").send().await.expect(405);
    assert!(wrong.header("allow").contains("GET"));
}

#[actix_web::test]
async fn what_does_not_exist_costs_a_request_too() {
    let world = World::new().await;
    let reply = world.app.get("/v1/nothing").await.expect(404);
    assert!(!reply.header("ratelimit").is_empty() && !reply.header("ratelimit-policy").is_empty());
}
