//! Adding and downloading files.

use std::convert::Infallible;

use serde_json::json;
use sotay::documents::{self, DocumentKind, Media, NewDocument};

use super::{draft, draft_with, publish, published, recall, start, write};
use crate::support::{Actor, Reply, TestApp, World};

const PDF: &[u8] = include_bytes!("../../fixtures/12-KH-DU.pdf");
const XLSX: &[u8] = include_bytes!("../../fixtures/roster.xlsx");
const XLSX_TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const DOCX_TYPE: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

async fn add(officer: &Actor, id: &str, media: &str, bytes: &[u8]) -> Reply {
    let known = Media::of_content_type(media).map_or("pdf", |media| media.extensions()[0]);
    let path = format!("/v1/documents/{id}/files?filename=12-KH-%C4%90U%20%22b%E1%BA%A3n%22.{known}");
    officer.request("POST", &path).bytes(media, bytes).send().await
}

fn stored(app: &TestApp) -> usize {
    let folder = app.folder().join("files/documents");
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

#[actix_web::test]
async fn what_was_added_comes_back_byte_for_byte() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let id = write(&world, &officer, &draft()).await;
    let added = add(&officer, &id, "application/pdf", PDF).await.expect(201);
    publish(&officer, &id, &[world.cell]).await.expect(200);
    assert_eq!(added.body["name"], "12-KH-ĐU \"bản\".pdf");
    assert_eq!(added.body["bytes"], PDF.len());
    let list = member.get("/v1/documents").await.expect(200);
    assert_eq!(list.body["items"][0]["files"], 1);
    let path = format!("/v1/documents/{id}/files/{}", added.id());
    let whole = member.request("GET", &path).header("Accept-Encoding", "gzip").send().await.expect(200);
    assert_eq!(whole.bytes, PDF);
    for (name, value) in [
        ("content-type", "application/pdf"),
        ("content-length", PDF.len().to_string().as_str()),
        ("accept-ranges", "bytes"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "private, no-cache"),
        (
            "content-disposition",
            "attachment; filename=\"12-KH-_U _b_n_.pdf\"; filename*=UTF-8''12-KH-%C4%90U%20%22b%E1%BA%A3n%22.pdf",
        ),
    ] {
        assert_eq!(whole.header(name), value, "{name}");
    }
    let tag = whole.header("etag").to_owned();
    assert!(tag.starts_with('"'), "strong: {tag}");
    let again = member.request("GET", &path).header("If-None-Match", &tag);
    assert_eq!(again.send().await.status, 304);
}

#[actix_web::test]
async fn parts_of_a_file_can_be_asked_for() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let id = write(&world, &officer, &draft()).await;
    let file = add(&officer, &id, "application/pdf", PDF).await.expect(201).id();
    publish(&officer, &id, &[world.cell]).await.expect(200);
    let path = format!("/v1/documents/{id}/files/{file}");
    let size = PDF.len();
    for (range, from, to) in [("bytes=0-99", 0, 100), ("bytes=27000-", 27_000, size), ("bytes=-10", size - 10, size)] {
        let part = member.request("GET", &path).header("Range", range).send().await.expect(206);
        assert_eq!(part.bytes, &PDF[from..to], "{range}");
        assert_eq!(part.header("content-range"), format!("bytes {from}-{}/{size}", to - 1));
    }
    let beyond = member.request("GET", &path).header("Range", "bytes=99999999-").send().await;
    assert_eq!((beyond.status, beyond.code()), (416, "range_not_satisfiable"));
    assert_eq!(beyond.header("content-range"), format!("bytes */{size}"));
    let other = member.request("GET", &path).header("Range", "bytes=0-9").header("If-Range", "\"x\"");
    assert_eq!(other.send().await.expect(200).bytes.len(), size);
}

#[actix_web::test]
async fn files_are_for_those_whom_the_document_reaches() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let id = write(&world, &officer, &draft()).await;
    let other = published(&world, &officer, json!({})).await;
    let file = add(&officer, &id, "application/pdf", PDF).await.expect(201).id();
    publish(&officer, &id, &[world.cell]).await.expect(200);
    assert_eq!(add(&member, &id, "application/pdf", PDF).await.status, 403);
    assert_eq!(add(&world.outsider().await, &id, "application/pdf", PDF).await.status, 404);
    assert_eq!(add(&officer, &id, "application/pdf", XLSX).await.status, 422);
    let path = format!("/v1/documents/{id}/files/{file}");
    assert_eq!(world.outsider().await.get(&path).await.status, 404);
    assert_eq!(member.get(&format!("/v1/documents/{other}/files/{file}")).await.status, 404);
    recall(&officer, &id).await.expect(200);
    assert_eq!(member.get(&path).await.status, 404);
    assert_eq!(add(&officer, &id, "application/pdf", PDF).await.status, 409);
    assert_eq!(stored(&world.app), 1, "nothing of the refused ones is kept");
}

#[actix_web::test]
async fn a_file_must_be_what_it_is_said_to_be() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let id = write(&world, &officer, &draft()).await;
    for (media, bytes, status) in [
        ("text/html", &b"<script>"[..], 415),
        ("application/pdf", b"<script>", 422),
        ("application/pdf", b"", 422),
        ("image/png", PDF, 422),
        (DOCX_TYPE, XLSX, 422),
        (XLSX_TYPE, XLSX, 201),
    ] {
        let reply = add(&officer, &id, media, bytes).await;
        assert_eq!(reply.status, status, "{media}: {}", reply.body);
    }
    let path = format!("/v1/documents/{id}/files");
    for query in ["", "?filename=", "?filename=..%2Fa.pdf", "?filename=a%0Ab.pdf", "?filename=a.pdf&x=1"] {
        let request = officer.request("POST", &format!("{path}{query}"));
        let reply = request.bytes("application/pdf", PDF).send().await;
        assert_eq!(reply.status, 400, "{query}");
    }
    assert_eq!(stored(&world.app), 1);
}

#[actix_web::test]
async fn a_file_has_a_greatest_size() {
    let app = TestApp::start_with(|config| config.file_bytes = 1000).await;
    let world = World::in_app(app).await;
    let officer = world.propaganda_officer().await;
    let id = write(&world, &officer, &draft()).await;
    assert_eq!(add(&officer, &id, "application/pdf", PDF).await.status, 413);
    let fits = &PDF[..1000];
    add(&officer, &id, "application/pdf", fits).await.expect(201);
    assert_eq!(stored(&world.app), 1);
}

#[actix_web::test]
async fn a_repeated_upload_adds_one_file() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let id = write(&world, &officer, &draft()).await;
    let path = format!("/v1/documents/{id}/files?filename=a.pdf");
    let send = async |bytes: &[u8]| {
        let request = officer.request("POST", &path).header("Idempotency-Key", "k1");
        request.bytes("application/pdf", bytes).send().await
    };
    let first = send(PDF).await.expect(201);
    let second = send(PDF).await.expect(201);
    assert_eq!(first.body, second.body);
    assert_eq!(second.header("idempotency-replayed"), "true");
    assert_eq!(send(&PDF[..2000]).await.code(), "idempotency_key_reused");
    let seen = officer.get(&format!("/v1/documents/{id}")).await.expect(200);
    assert_eq!(seen.body["files"].as_array().unwrap().len(), 1);
    assert_eq!(stored(&world.app), 1);
}

#[actix_web::test]
async fn other_parts_of_the_program_publish_the_same_way() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let state = &world.app.state;
    let now = state.clock.now();
    let content = futures_util::stream::iter([Ok::<_, Infallible>(PDF.into())]);
    let file = documents::keep(state.files.as_ref(), Media::Pdf, PDF.len(), content).await.unwrap();
    let new = NewDocument {
        unit_id: world.ward,
        symbol: "12-KH/ĐU".to_owned(),
        kind: DocumentKind::KeHoach,
        title: "Kế hoạch".to_owned(),
        summary: String::new(),
        text: "Nội dung".to_owned(),
        pages: None,
        must_read_by: None,
        topics: Vec::new(),
    };
    let published = state.db.transaction(async |conn| {
        let id = documents::draft(conn, &new, officer.id, now).await?;
        let added = documents::attach(conn, id, "12.pdf", &file, officer.id, now).await?;
        Ok((id, added.id))
    });
    let (id, file) = published.await.unwrap();
    let publish = async || {
        state.db.transaction(async |conn| documents::publish(conn, id, &[world.ward], officer.id, now).await).await
    };
    assert_eq!(publish().await.unwrap_err().code.status(), 409, "the file waits to be read");
    assert!(documents::read_next_file(state).await.unwrap());
    publish().await.unwrap();
    let path = format!("/v1/documents/{id}/files/{file}");
    assert_eq!(member.get(&path).await.expect(200).bytes, PDF);
}

#[actix_web::test]
async fn a_name_says_what_the_file_is() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let id = write(&world, &officer, &draft()).await;
    for name in [
        "a.exe",
        "a.pdf.html",
        "a",
        "..",
        ".pdf",
        "a.pdf.",
        "..%2fa.pdf",
        "..%5ca.pdf",
        "%E2%80%AEa.pdf",
        "a%0d%0aX:1.pdf",
    ] {
        let path = format!("/v1/documents/{id}/files?filename={name}");
        let refused = officer.request("POST", &path).bytes("application/pdf", PDF).send().await;
        assert_eq!((refused.status, refused.code()), (400, "invalid_request"), "{name}");
    }
    assert_eq!(stored(&world.app), 0);
}

#[actix_web::test]
async fn the_text_of_a_file_is_found_and_read_without_the_file() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let scan = draft_with(json!({"title": "Bản quét", "text": "", "pages": 1}));
    let id = write(&world, &officer, &scan).await;
    let added = add(&officer, &id, "application/pdf", PDF).await.expect(201);
    assert_eq!(added.body["text_state"], "read");
    publish(&officer, &id, &[world.cell]).await.expect(200);
    let text = member.get(&format!("/v1/documents/{id}/files/{}/text", added.id())).await.expect(200).body;
    assert_eq!((&text["text_state"], &text["pages"]), (&json!("read"), &json!(2)));
    assert!(text["text"].as_str().unwrap().contains("KẾ HOẠCH"));
    let found = member.get("/v1/documents?q=ke%20hoach%20sinh%20hoat").await.expect(200).body;
    assert_eq!(found["items"][0]["id"], json!(id));
    let session = start(&member, &id).await.expect(201).body;
    assert!(session["required_seconds"].as_i64().unwrap() > 60, "as long as the text of the file: {session}");
}

#[actix_web::test]
async fn the_same_file_is_stored_once() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    for _ in 0..2 {
        let id = write(&world, &officer, &draft()).await;
        add(&officer, &id, "application/pdf", PDF).await.expect(201);
        add(&officer, &id, "application/pdf", PDF).await.expect(201);
    }
    assert_eq!(stored(&world.app), 1);
}

#[actix_web::test]
async fn a_marked_file_is_refused_and_not_kept() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let id = write(&world, &officer, &draft()).await;
    let marked = docx("<w:p><w:r><w:t>T Ố I  M Ậ T</w:t></w:r></w:p><w:p><w:r><w:t>Nội dung</w:t></w:r></w:p>");
    let refused = add(&officer, &id, DOCX_TYPE, &marked).await;
    assert_eq!((refused.status, refused.code()), (422, "secret_marking"));
    let path = format!("/v1/documents/{id}/files?filename=12-KH-TUYET-MAT.pdf");
    let named = officer.request("POST", &path).bytes("application/pdf", PDF).send().await;
    assert_eq!((named.status, named.code()), (422, "secret_marking"));
    assert_eq!(stored(&world.app), 0);
}

#[actix_web::test]
async fn a_file_without_text_says_why() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let id = write(&world, &officer, &draft()).await;
    for (media, bytes, reason) in
        [("application/pdf", b"%PDF-1.7 and nothing else".to_vec(), "damaged"), (DOCX_TYPE, docx("<w:p/>"), "no_text")]
    {
        let added = add(&officer, &id, media, &bytes).await.expect(201);
        assert_eq!((&added.body["text_state"], &added.body["text_reason"]), (&json!("unreadable"), &json!(reason)));
    }
    publish(&officer, &id, &[world.cell]).await.expect(200);
}

#[actix_web::test]
async fn contents_that_no_document_has_are_swept() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let id = write(&world, &officer, &draft()).await;
    add(&officer, &id, "application/pdf", PDF).await.expect(201);
    let state = &world.app.state;
    let content = futures_util::stream::iter([Ok::<_, Infallible>(PDF.into())]);
    documents::keep(state.files.as_ref(), Media::Pdf, PDF.len(), content).await.unwrap();
    assert_eq!(stored(&world.app), 2);
    #[expect(clippy::disallowed_methods, reason = "the store dates its files by the machine's clock")]
    let now = chrono::Utc::now();
    assert_eq!(documents::sweep_files(state, now).await.unwrap(), 0, "it may belong to an upload that goes on");
    assert_eq!(documents::sweep_files(state, now + chrono::TimeDelta::days(2)).await.unwrap(), 1);
    assert_eq!(stored(&world.app), 1);
}

/// A DOCX file with this body.
fn docx(body: &str) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("word/document.xml", zip::write::SimpleFileOptions::default()).unwrap();
    let xml = format!("<w:document><w:body>{body}</w:body></w:document>");
    std::io::Write::write_all(&mut zip, xml.as_bytes()).unwrap();
    zip.finish().unwrap().into_inner()
}
