//! Wrong input of every kind to every operation: always 4xx problem+json, never 5xx, no changes.

use std::io::{Read, Write};
use std::net::TcpStream;

use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use sotay::kernel::security::access::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::permissions::{Operation, operations};
use crate::support::{Actor, Reply, World};

#[derive(QueryableByName)]
struct Fingerprint {
    #[diesel(sql_type = Text)]
    md5: String,
}

/// A digest of everything that bad input must not change.
async fn fingerprint(world: &World) -> String {
    const TABLES: &[&str] = &[
        "units",
        "unit_links",
        "members",
        "accounts",
        "memberships",
        "exemptions",
        "grants",
        "transfers",
        "attestations",
        "attestation_members",
        "point_adjustments",
        "point_appeals",
        "point_entries",
        "member_months",
        "documents",
        "document_targets",
        "document_audiences",
        "document_versions",
        "document_relations",
        "document_marks",
        "reading_sessions",
        "idempotency_keys",
        "activation_slips",
        "audit_events",
        "unit_tree",
        "reorganisations",
    ];
    let parts: Vec<String> = TABLES
        .iter()
        .map(|t| format!("(SELECT coalesce(string_agg(x::text, '|' ORDER BY x::text), '') FROM {t} x)"))
        .collect();
    let mut conn = world.app.state.db.conn().await.unwrap();
    let row: Fingerprint =
        diesel::sql_query(format!("SELECT md5({}) AS md5", parts.join(" || "))).get_result(&mut *conn).await.unwrap();
    row.md5
}

#[track_caller]
fn refused(reply: &Reply, what: &str) {
    assert!((400..500).contains(&reply.status), "{what}: {} {}", reply.status, String::from_utf8_lossy(&reply.bytes));
    assert_eq!(reply.header("content-type"), "application/problem+json", "{what}");
    assert!(!reply.code().is_empty() && !reply.body["request_id"].as_str().unwrap_or_default().is_empty(), "{what}");
}

/// The path of an operation: of the cell, or of something that is not there.
pub fn path_of(operation: &Operation, world: &World) -> String {
    let mut path = operation.path.replace("{unit_id}", &world.cell.to_string());
    while let (Some(open), Some(close)) = (path.find('{'), path.find('}')) {
        path.replace_range(open..=close, "0192f0c1-0000-7000-8000-000000000000");
    }
    path
}

fn body_schema(operation: &Operation) -> Option<Value> {
    let name = operation
        .spec
        .pointer("/requestBody/content/application~1json/schema/$ref")?
        .as_str()?
        .rsplit('/')
        .next()?
        .to_owned();
    Some(sotay::app::document()["components"]["schemas"][name].clone())
}

/// Bodies that no operation takes.
fn raw_bodies() -> Vec<(&'static str, Vec<u8>)> {
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let deep_object = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
    vec![
        ("not JSON", b"{".to_vec()),
        ("bad UTF-8", b"{\"login\": \"\xff\xfe\"}".to_vec()),
        ("nested arrays", deep.into_bytes()),
        ("nested objects", deep_object.into_bytes()),
        ("an array", b"[]".to_vec()),
        ("a number", b"1e400".to_vec()),
        ("null", b"null".to_vec()),
        ("an extra field", b"{\"surplus\": 1}".to_vec()),
        ("NUL in a name", b"{\"a\\u0000b\": 1}".to_vec()),
    ]
}

/// For every field: the wrong type, too long, too many, NUL.
fn field_bodies(schema: &Value) -> Vec<(String, Value)> {
    let long = "x".repeat(250_000);
    let mut found = Vec::new();
    for name in schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name) {
        for (what, value) in [
            ("object", json!({"a": 1})),
            ("NUL", json!("a\u{0}b")),
            ("long", json!(long)),
            ("many", json!(vec!["x"; 5_000])),
            ("huge number", json!(1e300)),
            ("negative", json!(-9_223_372_036_854_775_808_i64)),
        ] {
            found.push((format!("{name}: {what}"), json!({ name.as_str(): value })));
        }
    }
    found
}

async fn attack(world: &World, actor: &Actor, operation: &Operation) {
    let path = path_of(operation, world);
    let id = &operation.id;
    let unknown = actor.request(&operation.method, &format!("{path}?surplus=1")).send().await;
    refused(&unknown, &format!("{id}: unknown parameter"));
    let nul = actor.request(&operation.method, &format!("{path}?limit=%00&cursor=%ff")).send().await;
    refused(&nul, &format!("{id}: NUL and bad UTF-8 in the query"));
    for parameter in operation.spec["parameters"].as_array().into_iter().flatten().filter(|p| p["in"] == "query") {
        let name = parameter["name"].as_str().unwrap();
        for value in ["", "%00", "-1", "99999999999999999999", "%F0%28%8C%BC", &"x".repeat(4_000)] {
            let reply = actor.request(&operation.method, &format!("{path}?{name}={value}")).send().await;
            assert!(reply.status < 500, "{id}: {name}={value}: {}", reply.status);
        }
    }
    let Some(schema) = body_schema(operation) else {
        return;
    };
    for (what, body) in raw_bodies() {
        let reply = actor.request(&operation.method, &path).bytes("application/json", body).send().await;
        refused(&reply, &format!("{id}: {what}"));
    }
    for (what, body) in field_bodies(&schema) {
        let reply = actor.request(&operation.method, &path).json(&body).send().await;
        refused(&reply, &format!("{id}: {what}"));
    }
    let form = actor.request(&operation.method, &path).bytes("application/x-www-form-urlencoded", "a=1").send().await;
    refused(&form, &format!("{id}: a form"));
}

#[actix_web::test]
async fn no_operation_breaks_or_changes_anything_on_bad_input() {
    let world = World::new().await;
    let administrator = world.administrator().await;
    let member = world.officer(world.cell, Role::CellSecretary, world.cell).await;
    let before = fingerprint(&world).await;
    for operation in operations() {
        if operation.id.ends_with("Sessions") && operation.method == "DELETE" {
            continue;
        }
        for actor in [&administrator, &member] {
            attack(&world, actor, &operation).await;
        }
    }
    assert_eq!(fingerprint(&world).await, before, "bad input changed something");
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

/// Cursors forged with knowledge of their format.
fn forged_cursors() -> Vec<Value> {
    const ID: &str = "01949d6c-7c00-7000-8000-000000000001";
    let mut cursors =
        vec![json!("a\u{0}"), json!(["a\u{0}", ID]), json!(["a\u{0}", "b", ID]), json!(["a", "b\u{0}", ID])];
    for day in ["-262143-01-01", "-4800-01-01", "0000-01-01", "+262142-12-31"] {
        cursors.extend([json!([day, ID]), json!([format!("{day}T00:00:00Z"), ID])]);
    }
    cursors
}

#[actix_web::test]
async fn a_forged_cursor_breaks_no_list() {
    let world = World::new().await;
    let actor = world.officer(world.cell, Role::OrganisationOfficer, world.province).await;
    for role in [Role::CommitteeOfficer, Role::PropagandaOfficer, Role::Inspector] {
        world.grant(actor.id, role, Some(world.province)).await;
    }
    let member = world.member().await;
    for operation in operations() {
        let lists =
            operation.spec["parameters"].as_array().is_some_and(|all| all.iter().any(|p| p["name"] == "cursor"));
        if !lists {
            continue;
        }
        let path = path_of(&operation, &world)
            .replace("/members/0192f0c1-0000-7000-8000-000000000000", &format!("/members/{}", member.id));
        for cursor in forged_cursors() {
            let cursor = sotay::kernel::security::crypto::to_text(cursor.to_string().as_bytes());
            for caller in [&actor, &member] {
                let reply = caller.get(&format!("{path}?cursor={cursor}")).await;
                assert!(reply.status < 500, "{}: {}", operation.id, String::from_utf8_lossy(&reply.bytes));
            }
        }
    }
}

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
    let roster = include_bytes!("../fixtures/roster.xlsx").to_vec();
    let path = format!("/v1/imports?unit_id={}&dry_run=false", world.cell);
    let media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    assert_eq!(slow_upload(&secretary, address, &path, media, roster, revoke).await, "HTTP/1.1 403");
    restore().await;
    let pdf = include_bytes!("../fixtures/12-KH-DU.pdf").to_vec();
    let path = format!("/v1/documents/{document}/files?filename=a.pdf");
    assert_eq!(slow_upload(&officer, address, &path, "application/pdf", pdf, revoke).await, "HTTP/1.1 404");
    restore().await;
    let list = secretary.get(&format!("/v1/units/{}/members", world.cell)).await.expect(200);
    assert_eq!(list.body["items"].as_array().unwrap().len(), 1, "nobody was imported");
    let files = officer.get(&format!("/v1/documents/{document}")).await.expect(200);
    assert_eq!(files.body["files"], json!([]));
}
