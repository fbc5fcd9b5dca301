//! What hostile clients send below the operations: encoded, stalled, endless and misspelt requests.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Actor, Program, TestApp, World};

/// What an impatient program's answers are waited for.
const DB_TIMEOUT: Duration = Duration::from_secs(20);
const PDF: &[u8] = include_bytes!("../fixtures/12-KH-DU.pdf");

async fn impatient() -> World {
    World::in_app(TestApp::start_with(|config| config.body_seconds = 1).await).await
}

/// A connection on which some bytes were sent.
async fn connect(app: &TestApp, bytes: impl AsRef<[u8]>) -> TcpStream {
    let address = app.base_url.trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_ref()).await.unwrap();
    stream
}

/// All that the server sends before it closes the connection.
async fn until_closed(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset is an end, too.
    let _ = tokio::time::timeout(DB_TIMEOUT, stream.read_to_end(&mut answer)).await.expect("the server closes it");
    String::from_utf8_lossy(&answer).into_owned()
}

fn head(line: &str, more: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: x\r\n{more}\r\n\r\n")
}

async fn document(world: &World, officer: &Actor) -> String {
    let body = json!({"symbol": "98-KH/ĐU", "kind": "ke_hoach", "title": "Kế hoạch", "text": "Nội dung"});
    officer.post(&format!("/v1/units/{}/documents", world.ward), &body).await.expect(201).id()
}

fn upload_head(officer: &Actor, document: &str, more: &str) -> String {
    head(
        &format!("POST /v1/documents/{document}/files?filename=a.pdf"),
        &format!("Authorization: Bearer {}\r\nContent-Type: application/pdf\r\n{more}", officer.token),
    )
}

#[actix_web::test]
async fn encoded_bodies_are_refused_unread() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let id = document(&world, &officer).await;
    for coding in ["gzip", "GZIP", "gzip, gzip", "br", "deflate", "zstd", "identity, gzip", "x"] {
        let json = world.app.request("POST", "/v1/auth/sessions").header("Content-Encoding", coding);
        let reply = json.bytes("application/json", [0x1f, 0x8b, 8]).send().await.expect(415);
        assert_eq!((reply.code(), reply.header("accept-encoding")), ("unsupported_media_type", "identity"), "{coding}");
        let file = officer.request("POST", &format!("/v1/documents/{id}/files?filename=a.pdf"));
        file.header("Content-Encoding", coding).bytes("application/pdf", PDF).send().await.expect(415);
    }
    let plain = officer.request("POST", &format!("/v1/documents/{id}/files?filename=a.pdf"));
    plain.header("Content-Encoding", "identity").bytes("application/pdf", PDF).send().await.expect(201);
}

#[actix_web::test]
async fn a_stalled_body_ends_with_408_and_the_connection() {
    let world = impatient().await;
    let json = "Content-Type: application/json\r\n";
    for length in ["Content-Length: 1000", "Transfer-Encoding: chunked", "Content-Length: 1000\r\nExpect: 100-continue"]
    {
        let head = head("POST /v1/auth/sessions", &format!("{json}{length}"));
        let mut stream = connect(&world.app, head).await;
        let answer = until_closed(&mut stream).await;
        assert!(answer.contains("408 Request Timeout") && answer.contains("request_timeout"), "{length}: {answer}");
    }
}

#[actix_web::test]
async fn a_body_without_end_is_given_its_time_and_no_more() {
    let world = impatient().await;
    let head = head("POST /v1/auth/sessions", "Content-Type: application/json\r\nTransfer-Encoding: chunked");
    let stream = connect(&world.app, head).await;
    let (mut reading, mut writing) = stream.into_split();
    let drip = async {
        while writing.write_all(b"1\r\n \r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let read = async {
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(DB_TIMEOUT, reading.read_to_end(&mut answer)).await.expect("the server closes it");
        String::from_utf8_lossy(&answer).into_owned()
    };
    let (answer, ()) = tokio::join!(read, async {
        let _ = tokio::time::timeout(DB_TIMEOUT, drip).await;
    });
    assert!(answer.contains("408 Request Timeout"), "{answer}");
}

#[actix_web::test]
async fn a_slow_head_ends_the_connection_also_after_another_request() {
    let world = impatient().await;
    for first in ["", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"] {
        let begun = Instant::now();
        let mut stream = connect(&world.app, format!("{first}GET /healthz HTTP/1.1\r\nX: ")).await;
        until_closed(&mut stream).await;
        assert!(begun.elapsed() < DB_TIMEOUT, "{first}");
    }
}

#[actix_web::test]
async fn a_slow_file_is_taken_and_a_stalled_one_is_not() {
    let world = impatient().await;
    let officer = world.propaganda_officer().await;
    let id = document(&world, &officer).await;
    let head = upload_head(&officer, &id, &format!("Connection: close\r\nContent-Length: {}", PDF.len().min(8000)));
    let mut slow = connect(&world.app, &head).await;
    // Twice the least rate, for four times the stretch over which it is measured.
    for part in PDF[..8000].chunks(500) {
        slow.write_all(part).await.unwrap();
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let answer = until_closed(&mut slow).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let mut stalled = connect(&world.app, format!("{head}%PDF-1.7")).await;
    let answer = until_closed(&mut stalled).await;
    assert!(answer.contains("408 Request Timeout"), "{answer}");
}

#[actix_web::test]
async fn stalled_uploads_are_in_nobodys_way() {
    let world = World::new().await;
    let honest = world.propaganda_officer().await;
    let id = document(&world, &honest).await;
    let mut stalled = Vec::new();
    for _ in 0..9 {
        let officer = world.propaganda_officer().await;
        let head = upload_head(&officer, &id, "Content-Length: 20000");
        stalled.push((connect(&world.app, format!("{head}%PDF-1.7")).await, officer));
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let path = format!("/v1/documents/{id}/files?filename=a.pdf");
    // One place an account.
    let again = stalled[0].1.request("POST", &path).bytes("application/pdf", PDF).send().await.expect(429);
    assert_eq!((again.code(), again.header("retry-after")), ("too_many_requests", "30"));
    let begun = Instant::now();
    honest.request("POST", &path).bytes("application/pdf", PDF).send().await.expect(201);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    // The place is free again when the other upload has ended.
    let (stream, officer) = stalled.remove(0);
    drop(stream);
    for _ in 0..50 {
        if officer.request("POST", &path).bytes("application/pdf", PDF).send().await.status == 201 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the place of an upload that broke off is never given back");
}

#[actix_web::test]
async fn every_way_to_accept_a_coding_is_answered() {
    let world = World::new().await;
    let member = world.member().await;
    for accept in [
        "identity;q=0",
        "*;q=0",
        "identity;q=0, *;q=0",
        "gzip;q=0",
        "br",
        "*",
        "gzip, br;q=0.9",
        "",
        ",,;q=",
        "gzip;q=2",
    ] {
        for path in ["/healthz", "/v1/me", "/v1/units/x", "/openapi.json"] {
            let reply = member.request("GET", path).header("Accept-Encoding", accept).send().await;
            let plain = member.get(path).await;
            assert_eq!(reply.status, plain.status, "{path}, {accept}");
            assert!(matches!(reply.header("content-encoding"), "" | "gzip"), "{path}, {accept}");
        }
    }
}

#[actix_web::test]
async fn head_has_no_range_and_files_no_coding() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let id = document(&world, &officer).await;
    let path = format!("/v1/documents/{id}/files?filename=a.pdf");
    let file = officer.request("POST", &path).bytes("application/pdf", PDF).send().await.expect(201).id();
    let publication = json!({"unit_ids": [world.ward], "attests_no_state_secrets": true});
    officer.post(&format!("/v1/documents/{id}/publish"), &publication).await.expect(200);
    let path = format!("/v1/documents/{id}/files/{file}");
    for range in ["bytes=0-9", "bytes=-5", "bytes=99999999-"] {
        let head = member.request("HEAD", &path).header("Range", range).send().await.expect(200);
        assert_eq!(head.header("content-length"), PDF.len().to_string());
        assert_eq!(head.header("content-range"), "");
    }
    for accept in ["gzip", "identity", "*;q=0"] {
        let whole = member.request("GET", &path).header("Accept-Encoding", accept).send().await.expect(200);
        assert!(!whole.headers.contains_key("content-encoding") && whole.bytes == PDF, "{accept}");
    }
    member.request("GET", &path).header("Range", "bytes=0-9").send().await.expect(206);
}

#[actix_web::test]
async fn what_is_not_utf8_is_refused() {
    let world = World::new().await;
    let member = world.member().await;
    for query in ["q=%FF", "q=a%C3", "%FF=1", "q=%ED%A0%80"] {
        let reply = member.get(&format!("/v1/documents?{query}")).await.expect(400);
        assert_eq!((reply.code(), &reply.body["errors"][0]["code"]), ("invalid_request", &json!("utf8")), "{query}");
    }
}

#[actix_web::test]
async fn a_key_belongs_to_the_operation_however_it_is_written() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let id = document(&world, &officer).await;
    let upper = id.to_uppercase();
    let bare = id.replace('-', "");
    let escaped = id.replacen('0', "%30", 1);
    let mut added = Vec::new();
    for path in [
        format!("/v1/documents/{id}/files?filename=a%20b.pdf"),
        format!("/v1/documents/{upper}/files?filename=a+b.pdf"),
        format!("/v1/documents/{bare}/files?filename=%61%20b.pdf"),
        format!("/v1/documents/{escaped}/files?&filename=a%20b.pdf&"),
    ] {
        let request = officer.request("POST", &path).header("Idempotency-Key", "k1");
        added.push(request.bytes("application/pdf", PDF).send().await.expect(201).id());
    }
    added.dedup();
    assert_eq!(added.len(), 1, "one file, however the request is written");
    let other = officer.request("POST", &format!("/v1/documents/{id}/files?filename=c.pdf"));
    let other = other.header("Idempotency-Key", "k1").bytes("application/pdf", PDF).send().await.expect(201);
    assert_ne!(other.id(), added[0], "another name is another request");
}

#[actix_web::test]
async fn what_clients_do_wrong_is_no_error_of_the_program() {
    let world = World::new().await;
    let log = world.app.folder().join("stderr.log");
    let program = Program::start_logged(&world.app, &log).await;
    let address = program.base_url.trim_start_matches("http://").to_owned();
    let long = "x".repeat(200_000);
    for bytes in [
        "nonsense\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "POST /v1/auth/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        "POST /v1/auth/sessions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST /v1/auth/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST /v1/auth/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{",
        &format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n"),
        &format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: b\r\n".repeat(2000)),
        "GET /%ff%fe?%ff HTTP/1.0\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let _ = tokio::time::timeout(DB_TIMEOUT, stream.read_to_end(&mut Vec::new())).await.expect("an end");
    }
    drop(program);
    let written = std::fs::read_to_string(&log).unwrap();
    assert!(!written.contains("ERROR"), "{written}");
}
