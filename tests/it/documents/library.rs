//! Listing, searching and opening documents.

use serde_json::{Value, json};

use super::{acknowledge, draft, publish, published, read, recall, write};
use crate::support::{Actor, World};

async fn titles(member: &Actor, query: &str) -> Vec<String> {
    let page = member.get(&format!("/v1/documents{query}")).await;
    let page = page.expect(200);
    let items = page.body["items"].as_array().unwrap();
    let title = |item: &Value| item["title"].as_str().unwrap().to_owned();
    items.iter().map(title).collect()
}

#[actix_web::test]
async fn a_member_finds_what_reaches_their_cell_newest_first() {
    let world = World::new().await;
    let (officer, member, outsider) = (world.propaganda_officer().await, world.member().await, world.outsider().await);
    for title in ["Một", "Hai", "Ba"] {
        published(&world, &officer, json!({"title": title})).await;
        world.app.advance(1);
    }
    write(&world, &officer, &draft()).await;
    assert_eq!(titles(&member, "").await, ["Ba", "Hai", "Một"]);
    assert_eq!(titles(&outsider, "").await, Vec::<String>::new());
    let first = member.get("/v1/documents?limit=2").await.expect(200);
    let cursor = first.body["next_cursor"].as_str().unwrap();
    let rest = format!("?limit=2&cursor={cursor}");
    assert_eq!(titles(&member, &rest).await, ["Một"]);
}

#[actix_web::test]
async fn a_document_for_the_ward_reaches_every_cell_below() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let id = write(&world, &officer, &draft()).await;
    publish(&officer, &id, &[world.ward]).await.expect(200);
    assert_eq!(titles(&world.member().await, "").await.len(), 1);
    assert_eq!(titles(&world.outsider().await, "").await.len(), 1);
    let elsewhere = world.member_of(world.other_cell, "Phạm Văn Dũng").await;
    assert_eq!(titles(&elsewhere, "").await.len(), 0);
}

#[actix_web::test]
async fn the_list_is_for_members() {
    let world = World::new().await;
    let administrator = world.administrator().await;
    assert_eq!(administrator.get("/v1/documents").await.status, 403);
    assert_eq!(world.app.get("/v1/documents").await.status, 401);
}

#[actix_web::test]
async fn a_search_needs_no_diacritics() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let resolution = json!({"symbol": "03-NQ/TU", "title": "Nghị quyết về chuyển đổi số", "text": "Đảng ủy lãnh đạo."});
    published(&world, &officer, resolution).await;
    let plan = json!({"symbol": "98-KH/ĐU", "title": "Kế hoạch trồng cây", "text": "Mỗi chi bộ trồng mười cây bàng."});
    published(&world, &officer, plan).await;
    for q in ["nghi quyet", "Nghị%20quyết", "NGHI", "dang uy", "03-nq/tu", "chuyen%20nghi", "Nghi%CC%A3"] {
        let found = titles(&member, &format!("?q={}", q.replace(' ', "%20"))).await;
        assert_eq!(found, ["Nghị quyết về chuyển đổi số"], "{q}");
    }
    assert_eq!(titles(&member, "?q=cay").await, ["Kế hoạch trồng cây"]);
    for nothing in ["quyet%20cay", "ay", "%25", "%", "khong", "!!!", "%E2%80%93", "%20.%20", "%F0%9F%98%80", "%CC%81"] {
        assert_eq!(titles(&member, &format!("?q={nothing}")).await, Vec::<String>::new(), "{nothing}");
    }
    let administrator = world.administrator().await;
    administrator.get("/v1/documents?q=!").await.expect(403);
}

#[actix_web::test]
async fn what_is_read_and_confirmed_is_marked() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let id = published(&world, &officer, json!({"must_read_by": "2026-11-30"})).await;
    published(&world, &officer, json!({"title": "Khác"})).await;
    read(&world, &member, &id).await;
    acknowledge(&member, &id).await.expect(200);
    assert_eq!(titles(&member, "?unread=true").await, ["Khác"]);
    let seen = member.get(&format!("/v1/documents/{id}")).await.expect(200);
    assert_eq!(seen.body["read"], true);
    assert_eq!(seen.body["acknowledged"], true);
    let neighbour = world.member().await;
    assert_eq!(titles(&neighbour, "?unread=true").await.len(), 2);
}

#[actix_web::test]
async fn one_document_shows_its_text_and_the_parts_of_its_symbol() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let id = published(&world, &officer, json!({})).await;
    let path = format!("/v1/documents/{id}");
    let seen = member.get(&path).await.expect(200);
    assert_eq!(seen.body["symbol_parts"], json!({"number": 98, "abbreviation": "KH", "issuer": "ĐU"}));
    assert_eq!(seen.body["text"], draft()["text"].as_str().unwrap().trim_end());
    assert_eq!(seen.body["unit_ids"], json!([]));
    let tag = seen.header("etag").to_owned();
    let again = member.request("GET", &path).header("If-None-Match", &tag);
    assert_eq!(again.send().await.status, 304);
    assert_eq!(world.outsider().await.get(&path).await.status, 404);
    assert_eq!(world.administrator().await.get(&path).await.status, 404);
    let owner = officer.get(&path).await.expect(200);
    assert_eq!(owner.body["unit_ids"], json!([world.cell]));
}

#[actix_web::test]
async fn drafts_and_recalled_documents_are_the_publishers_only() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let hidden = write(&world, &officer, &draft()).await;
    let recalled = published(&world, &officer, json!({})).await;
    recall(&officer, &recalled).await.expect(200);
    for id in [hidden, recalled] {
        let path = format!("/v1/documents/{id}");
        assert_eq!(member.get(&path).await.status, 404);
        officer.get(&path).await.expect(200);
    }
    assert_eq!(titles(&member, "").await, Vec::<String>::new());
}

#[actix_web::test]
async fn kinds_are_named_in_the_language_asked_for() {
    let world = World::new().await;
    let member = world.member().await;
    let request = member.request("GET", "/v1/document-kinds");
    let english = request.header("Accept-Language", "en").send().await;
    let items = english.expect(200).body["items"].as_array().unwrap().clone();
    assert_eq!(items.len(), 19);
    assert!(items.contains(&json!({"code": "nghi_quyet", "abbreviation": "NQ", "name": "Resolution"})));
}
