//! The program killed in the middle of uploads: what was acknowledged is there, once, and nothing else stays.

use std::time::{Duration, Instant};

use serde_json::json;
use sotay::documents;

use super::{draft, write};
use crate::support::{Actor, Program, Reply, TestApp, World};

const PDF: &[u8] = include_bytes!("../../fixtures/12-KH-DU.pdf");
const ROUNDS: usize = 6;
/// Large enough for several parts.
const BYTES: usize = 6 * 1024 * 1024;

/// A file of its own for each round.
fn file(round: usize) -> Vec<u8> {
    let mut bytes = PDF.to_vec();
    bytes.resize(BYTES, b'\n');
    bytes.extend_from_slice(format!("% {round}").as_bytes());
    bytes
}

async fn upload(program: &Program, officer: &Actor, document: &str, round: usize) -> Option<Reply> {
    let path = format!("/v1/documents/{document}/files?filename=a.pdf");
    let request = officer.at(&program.base_url).request("POST", &path).header("Idempotency-Key", &format!("k{round}"));
    request.bytes("application/pdf", file(round)).try_send().await
}

async fn differences(app: &TestApp) -> Vec<String> {
    let mut conn = app.state.db.conn().await.unwrap();
    let found = documents::verify(&mut conn, app.state.files.as_ref()).await.unwrap();
    found.into_iter().flat_map(|(_, lines)| lines).collect()
}

#[actix_web::test]
async fn uploads_are_there_once_or_not_at_all() {
    let world = World::in_app(TestApp::on_system_clock().await).await;
    let officer = world.propaganda_officer().await;
    let document = write(&world, &officer, &draft()).await;
    let mut whole = Duration::from_secs(20);
    for round in 0..ROUNDS {
        let program = Program::start(&world.app).await;
        let begun = Instant::now();
        // The first round is measured; in the others the axe falls a little later each time.
        let fraction = if round == 0 { 1.0 } else { round as f64 / ROUNDS as f64 };
        let sent = tokio::time::timeout(whole.mul_f64(fraction), upload(&program, &officer, &document, round)).await;
        program.kill();
        if round == 0 {
            whole = begun.elapsed();
        }
        let acknowledged = sent.is_ok_and(|reply| reply.is_some_and(|reply| reply.status == 201));
        let again = Program::start(&world.app).await;
        let here = officer.at(&again.base_url);
        let before = here.get(&format!("/v1/documents/{document}")).await.expect(200).body;
        let count = before["next_version"]["files"].as_array().unwrap().len();
        assert!(count == round || count == round + 1, "{count} files in round {round}");
        assert!(!acknowledged || count == round + 1, "acknowledged and lost");
        let id = upload(&again, &officer, &document, round).await.unwrap().expect(201).id();
        let whole_file = here.get(&format!("/v1/documents/{document}/files/{id}")).await.expect(200);
        assert!(whole_file.bytes == file(round), "byte for byte");
        again.kill();
        assert_eq!(differences(&world.app).await, Vec::<String>::new());
    }
    let state = &world.app.state;
    documents::sweep_files(state, state.clock.now() + chrono::Duration::days(2)).await.unwrap();
    let kept = std::fs::read_dir(world.app.folder().join("files/documents")).unwrap();
    assert_eq!(kept.count(), ROUNDS, "what no document has is swept away");
    assert_eq!(differences(&world.app).await, Vec::<String>::new());
}

#[actix_web::test]
async fn verification_names_what_is_damaged() {
    use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let id = super::published(&world, &officer, json!({})).await;
    super::read(&world, &member, &id).await;
    assert_eq!(differences(&world.app).await, Vec::<String>::new());
    let url = crate::support::database_url_as(&world.app, "sotay_owner");
    let mut owner = AsyncPgConnection::establish(&url).await.unwrap();
    for (damage, named) in [
        ("UPDATE reading_sessions SET receipt = jsonb_set(receipt, '{entries,0,points}', '9')", "of 9 point(s)"),
        ("UPDATE documents SET version = 2, files_version = 1", "version 2, published last 1"),
        ("DELETE FROM document_feed", "is not reached"),
        ("DELETE FROM document_search", "not in the index"),
        (
            "INSERT INTO file_contents (sha256, media_type, bytes, storage_key, stored_at, text_state)
             VALUES ('\\x00', 'application/pdf', 5, 'documents/none', now(), 'none')",
            "is not in the store",
        ),
    ] {
        owner.batch_execute(&format!("BEGIN; {damage}")).await.unwrap();
        let found = documents::verify(&mut owner, world.app.state.files.as_ref()).await.unwrap();
        owner.batch_execute("ROLLBACK").await.unwrap();
        let lines: Vec<String> = found.into_iter().flat_map(|(_, lines)| lines).collect();
        assert!(lines.len() == 1 && lines[0].contains(named), "{damage}: {lines:?}");
    }
}
