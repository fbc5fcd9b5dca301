//! The attack on one operation: its whole request, with one part spoilt at a time.

use serde_json::{Value, json};

use super::bodies::{raw, spoilt};
use super::findings::Findings;
use super::queries::queries;
use crate::stage::{Body, Scene};

/// Ids that are none, or of nothing.
const NO_IDS: [&str; 7] = ["x", "-1", "%00", "%ff%fe", "..%2f..", "2026-13", "00000000-0000-0000-0000-000000000000"];

/// Sends everything that the operation must refuse.
pub async fn attack(scene: &Scene<'_>) -> Findings {
    let mut findings = Findings::default();
    // OAuth ignores what it does not know, and has attacks of its own (`apps::attacks`).
    if scene.operation.spec.get("x-errors").is_some() {
        return findings;
    }
    path(scene, &mut findings).await;
    query(scene, &mut findings).await;
    headers(scene, &mut findings).await;
    body(scene, &mut findings).await;
    findings
}

async fn path(scene: &Scene<'_>, findings: &mut Findings) {
    for name in scene.ids.keys() {
        for wrong in NO_IDS.iter().map(|id| (*id).to_owned()).chain(["z".repeat(36), "x".repeat(3_000)]) {
            // What is not marked is not marked afterwards either: removing it succeeds.
            if scene.operation.id == "removeBookmark" && wrong.parse::<uuid::Uuid>().is_ok() {
                continue;
            }
            let mut spoilt = scene.clone();
            spoilt.id(name, &wrong);
            findings.refused(&spoilt.send().await, &format!("{}: {name} {wrong}", scene.operation.id));
        }
    }
}

async fn query(scene: &Scene<'_>, findings: &mut Findings) {
    for query in queries(scene.operation, &scene.query) {
        let mut spoilt = scene.clone();
        spoilt.query = query.pairs;
        let what = format!("{}: {} {}", scene.operation.id, query.name, query.what);
        findings.named(&spoilt.send().await, &query.name, &what);
    }
}

async fn headers(scene: &Scene<'_>, findings: &mut Findings) {
    let id = &scene.operation.id;
    for header in scene.operation.parameters("header") {
        let mut spoilt = scene.clone();
        match header["name"].as_str().unwrap() {
            name @ "Idempotency-Key" => {
                for key in [String::new(), "x".repeat(101), "a b".to_owned()] {
                    spoilt.headers = scene.headers.clone();
                    spoilt.headers.push(("Idempotency-Key", key));
                    findings.named(&spoilt.send().await, name, &format!("{id}: a wrong key"));
                }
            }
            name @ "If-Match" => {
                spoilt.headers.retain(|(name, _)| *name != "If-Match");
                if header["required"] == true {
                    findings.named(&spoilt.send().await, name, &format!("{id}: no If-Match"));
                }
                spoilt.headers.push(("If-Match", "\"x\"".to_owned()));
                let reply = spoilt.send().await;
                findings.refused(&reply, &format!("{id}: another If-Match"));
                if reply.code() != "precondition_failed" {
                    findings.fault(&format!("{id}: another If-Match"), &reply);
                }
            }
            _ => {}
        }
    }
}

async fn body(scene: &Scene<'_>, findings: &mut Findings) {
    let file = |media: &str, bytes: Vec<u8>| Body::File { media: media.to_owned(), bytes };
    let mut bodies = vec![("a form", file("application/x-www-form-urlencoded", b"a=1".to_vec()))];
    match &scene.body {
        Body::None => return,
        Body::File { media, .. } => {
            let damaged = [Vec::new(), b"PK\x03\x04".to_vec(), vec![0; 5_000]];
            bodies.extend(damaged.map(|bytes| ("a damaged file", file(media, bytes))));
        }
        Body::Json(right) => {
            bodies.extend(raw().into_iter().map(|(what, bytes)| (what, file("application/json", bytes))));
            bodies.push(("a text", Body::Json(json!("x"))));
            fields(scene, right, findings).await;
        }
    }
    for (what, body) in bodies {
        let spoilt = scene.with_body(body);
        findings.malformed(&spoilt.send().await, &format!("{}: {what}", scene.operation.id));
    }
}

/// Spoils one field at a time; the answer names that field and no other.
async fn fields(scene: &Scene<'_>, right: &Value, findings: &mut Findings) {
    let schema = scene.operation.body_schema().unwrap();
    for one in spoilt(&schema, right) {
        let what = format!("{}: {} {}", scene.operation.id, one.pointer, one.what);
        let spoilt = scene.with_body(Body::Json(one.body));
        findings.named(&spoilt.send().await, &one.pointer, &what);
    }
}
