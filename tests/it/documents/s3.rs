//! Files in S3 instead of a folder, and a store that is away.

use serde_json::json;
use sotay::documents;

use super::{draft, publish, write};
use crate::support::{Actor, Reply, TestApp, World};

const PDF: &[u8] = include_bytes!("../../fixtures/12-KH-DU.pdf");

/// A program whose files lie in a bucket of this server, below a prefix of their own.
async fn over(endpoint: &str) -> World {
    let prefix = uuid::Uuid::now_v7();
    let app = TestApp::start_with(|config| {
        config.files_url = Some(format!("s3://sotay/{prefix}"));
        config.files_endpoint = Some(endpoint.to_owned());
        config.files_region = Some("us-east-1".to_owned());
        let key = std::env::var("SOTAY_TEST_S3_KEY").unwrap_or_else(|_| "S3RVER".to_owned());
        config.files_access_key = Some(key.clone().into());
        config.files_secret_key = Some(key.into());
    });
    World::in_app(app.await).await
}

async fn upload(officer: &Actor, document: &str, bytes: Vec<u8>) -> Reply {
    let path = format!("/v1/documents/{document}/files?filename=a.pdf");
    officer.request("POST", &path).bytes("application/pdf", bytes).send().await
}

#[actix_web::test]
async fn a_store_that_is_away_costs_a_retry_and_nothing_else() {
    // Nothing listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let world = over(&format!("http://{free}")).await;
    let officer = world.propaganda_officer().await;
    let document = write(&world, &officer, &draft()).await;

    let refused = upload(&officer, &document, PDF.to_vec()).await;

    assert_eq!((refused.status, refused.code(), refused.header("retry-after")), (503, "unavailable", "5"));
    let seen = officer.get(&format!("/v1/documents/{document}")).await.expect(200).body;
    assert_eq!(seen["files"], json!([]));
    publish(&officer, &document, &[world.cell]).await.expect(200);
}

/// By hand, over any S3-compatible server with a bucket `sotay`: `docs/limits.md` names the one it was tried with.
#[actix_web::test]
#[ignore = "needs an S3-compatible server: SOTAY_TEST_S3_ENDPOINT, SOTAY_TEST_S3_KEY"]
async fn the_whole_way_of_a_file_through_s3() {
    let world = over(&std::env::var("SOTAY_TEST_S3_ENDPOINT").unwrap()).await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let document = write(&world, &officer, &draft()).await;
    // Two parts and a bit.
    let mut large = PDF.to_vec();
    large.resize(11 * 1024 * 1024, b'\n');
    let small = upload(&officer, &document, PDF.to_vec()).await.expect(201);
    let big = upload(&officer, &document, large.clone()).await.expect(201).id();
    let again = upload(&officer, &document, PDF.to_vec()).await.expect(201);
    assert_eq!((&small.body["text_state"], &again.body["text_state"]), (&json!("read"), &json!("read")));
    upload(&officer, &document, b"<script>".to_vec()).await.expect(422);
    publish(&officer, &document, &[world.cell]).await.expect(200);

    let path = format!("/v1/documents/{document}/files/{big}");
    assert!(member.get(&path).await.expect(200).bytes == large, "byte for byte");
    let part = member.request("GET", &path).header("Range", "bytes=27000-27099").send().await.expect(206);
    assert_eq!(part.bytes, &large[27_000..27_100]);
    let found = member.get("/v1/documents?q=ke%20hoach%20sinh%20hoat").await.expect(200).body;
    assert_eq!(found["items"][0]["id"], json!(document));

    let state = &world.app.state;
    let differences = async || {
        let mut conn = state.db.conn().await.unwrap();
        let found = documents::verify(&mut conn, state.files.as_ref()).await.unwrap();
        found.into_iter().flat_map(|(_, lines)| lines).collect::<Vec<_>>()
    };
    assert_eq!(differences().await, Vec::<String>::new());
    let orphan = object_store::path::Path::from("documents/left-over");
    object_store::ObjectStoreExt::put(state.files.as_ref(), &orphan, PDF.into()).await.unwrap();
    let swept = documents::sweep_files(state, "2100-01-01T00:00:00Z".parse().unwrap()).await.unwrap();
    assert_eq!(swept, 1, "what no document has, and nothing else");
    assert_eq!(differences().await, Vec::<String>::new());
}
