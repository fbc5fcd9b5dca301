//! Writing, changing, publishing and recalling documents.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;
use sotay::kernel::db::schema::point_offers;
use sotay::kernel::security::access::Role;
use uuid::Uuid;

use super::{acknowledge, change, draft, draft_with, publish, published, recall, start, write};
use crate::support::World;

async fn offered(world: &World, id: &str) -> Vec<(String, Uuid, String)> {
    let mut conn = world.app.state.db.conn().await.unwrap();
    point_offers::table
        .filter(point_offers::object_id.eq(id))
        .order((point_offers::rule_code, point_offers::unit_id))
        .select((point_offers::rule_code, point_offers::unit_id, point_offers::title))
        .load(&mut *conn)
        .await
        .unwrap()
}

#[actix_web::test]
async fn only_those_who_publish_may_write() {
    let world = World::new().await;
    let path = format!("/v1/units/{}/documents", world.ward);
    for (actor, status) in [
        (world.member().await, 403),
        (world.secretary().await, 403),
        (world.inspector().await, 403),
        (world.administrator().await, 403),
        (world.member_of(world.other_cell, "Vũ Thị Hoa").await, 404),
    ] {
        assert_eq!(actor.post(&path, &draft()).await.status, status);
        assert_eq!(actor.get(&path).await.status, status);
    }
    let officer = world.propaganda_officer().await;
    let id = write(&world, &officer, &draft()).await;
    let list = officer.get(&path).await.expect(200);
    assert_eq!(list.body["items"][0]["id"], id);
    assert_eq!(list.body["items"][0]["state"], "draft");
    assert_eq!(world.audit_count("document.written").await, 1);
}

#[actix_web::test]
async fn a_long_text_is_taken_and_a_longer_one_is_not() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let longest = draft_with(json!({"text": "đ".repeat(200_000)}));
    write(&world, &officer, &longest).await;
    let path = format!("/v1/units/{}/documents", world.ward);
    let longer = draft_with(json!({"text": "đ".repeat(200_001)}));
    let refused = officer.post(&path, &longer).await.expect(400);
    assert_eq!(refused.body["errors"][0]["code"], "too_long");
    let bomb = draft_with(json!({"text": "đ".repeat(2_000_000)}));
    assert_eq!(officer.post(&path, &bomb).await.status, 413);
    let elsewhere = json!({"name": "x".repeat(300_000), "kind": "cell"});
    assert_eq!(officer.post("/v1/units", &elsewhere).await.status, 413);
}

#[actix_web::test]
async fn a_document_needs_a_text_or_pages() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let path = format!("/v1/units/{}/documents", world.ward);
    let empty = officer.post(&path, &draft_with(json!({"text": " - "}))).await;
    assert_eq!((empty.status, empty.code()), (422, "rule_not_met"));
    write(&world, &officer, &draft_with(json!({"text": "", "pages": 4}))).await;
    for wrong in [
        json!({"kind": "tho"}),
        json!({"points": 999}),
        json!({"title": " "}),
        json!({"must_read_by": "30/11/2026"}),
        json!({"must_read_by": null}),
        json!({"text": "\u{0}"}),
    ] {
        let reply = officer.post(&path, &draft_with(wrong.clone())).await;
        assert_eq!(reply.status, 400, "{wrong}");
    }
}

#[actix_web::test]
async fn a_secrecy_marking_is_refused_wherever_it_comes_in() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let path = format!("/v1/units/{}/documents", world.ward);
    for marked in [
        json!({"text": "Tỉnh ủy\nTUYỆT MẬT\nNội dung"}),
        json!({"summary": "Độ mật: Mật"}),
        json!({"title": "TỐI MẬT"}),
    ] {
        let refused = officer.post(&path, &draft_with(marked.clone())).await;
        assert_eq!((refused.status, refused.code()), (422, "secret_marking"), "{marked}");
    }
    let id = published(&world, &officer, json!({"text": "Bảo vệ bí mật nhà nước là nghĩa vụ."})).await;
    let refused = change(&officer, &id, &json!({"text": "MẬT\nNội dung"})).await;
    assert_eq!(refused.code(), "secret_marking");
    let list = officer.get(&path).await.expect(200);
    assert_eq!(list.body["items"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn publishing_needs_the_attestation_and_units_below() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let id = write(&world, &officer, &draft()).await;
    let path = format!("/v1/documents/{id}/publish");
    let silent = json!({"unit_ids": [world.cell], "attests_no_state_secrets": false});
    assert_eq!(officer.post(&path, &silent).await.code(), "rule_not_met");
    let missing = json!({"unit_ids": [world.cell]});
    assert_eq!(officer.post(&path, &missing).await.status, 400);
    assert_eq!(publish(&officer, &id, &[]).await.status, 422);
    for elsewhere in [world.other_cell, world.province, Uuid::now_v7()] {
        let refused = publish(&officer, &id, &[world.cell, elsewhere]).await;
        assert_eq!((refused.status, refused.code()), (422, "rule_not_met"));
    }
    assert_eq!(offered(&world, &id).await, []);
    assert_eq!(publish(&world.member().await, &id, &[world.cell]).await.status, 404);
    let done = publish(&officer, &id, &[world.cell]).await.expect(200);
    assert_eq!(done.body["state"], "published");
    assert_eq!(publish(&world.member().await, &id, &[world.cell]).await.status, 403);
}

#[actix_web::test]
async fn what_can_be_earned_is_offered_until_the_recall() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let id = published(&world, &officer, json!({"title": "Cũ"})).await;
    let read = |title: &str, unit| ("document_read".to_owned(), unit, title.to_owned());
    assert_eq!(offered(&world, &id).await, [read("Cũ", world.cell)]);
    publish(&officer, &id, &[world.sibling]).await.expect(200);
    change(&officer, &id, &json!({"title": "Mới", "must_read_by": "2026-11-30"})).await.expect(200);
    let mut expected = Vec::new();
    for rule in ["document_acknowledged", "document_read"] {
        let mut units = [world.cell, world.sibling];
        units.sort();
        expected.extend(units.map(|unit| (rule.to_owned(), unit, "Mới".to_owned())));
    }
    assert_eq!(offered(&world, &id).await, expected);
    recall(&officer, &id).await.expect(200);
    assert_eq!(offered(&world, &id).await, []);
}

#[actix_web::test]
async fn a_change_needs_the_tag_of_what_was_read() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let id = write(&world, &officer, &draft()).await;
    let path = format!("/v1/documents/{id}");
    let body = json!({"title": "Tên mới"});
    assert_eq!(officer.patch(&path, &body).await.status, 400);
    let seen = officer.get(&path).await.expect(200);
    let tag = seen.header("etag").to_owned();
    let first = officer.request("PATCH", &path).header("If-Match", &tag);
    let changed = first.json(&body).send().await.expect(200);
    assert_eq!(changed.body["title"], "Tên mới");
    assert_eq!(changed.body["version"], 1, "a draft has no readers");
    let late = officer.request("PATCH", &path).header("If-Match", &tag);
    let refused = late.json(&json!({"title": "Khác"})).send().await;
    assert_eq!((refused.status, refused.code()), (412, "precondition_failed"));
    let same = change(&officer, &id, &body).await.expect(200);
    assert_eq!(same.body["title"], "Tên mới", "nothing changed");
    assert_eq!(world.audit_count("document.changed").await, 1);
}

#[actix_web::test]
async fn what_the_reader_has_done_is_no_change_of_the_document() {
    let world = World::new().await;
    let officer = world.officer(world.cell, Role::PropagandaOfficer, world.ward).await;
    let id = published(&world, &officer, json!({"must_read_by": "2026-11-30"})).await;
    let path = format!("/v1/documents/{id}");
    let tag = officer.get(&path).await.expect(200).header("etag").to_owned();
    acknowledge(&officer, &id).await.expect(200);
    let again = officer.request("GET", &path).header("If-None-Match", &tag).send().await.expect(200);
    assert_eq!(again.body["acknowledged"], true);
    let change = officer.request("PATCH", &path).header("If-Match", &tag);
    change.json(&json!({"title": "Tên mới"})).send().await.expect(200);
    let late = officer.request("PATCH", &path).header("If-Match", again.header("etag"));
    late.json(&json!({"title": "Khác"})).send().await.expect(412);
}

#[actix_web::test]
async fn a_recalled_document_is_gone_and_stays_as_it_is() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let id = published(&world, &officer, json!({})).await;
    assert_eq!(recall(&member, &id).await.status, 403);
    assert_eq!(recall(&world.outsider().await, &id).await.status, 404);
    let done = recall(&officer, &id).await.expect(200);
    assert_eq!(done.body["recall_reason"], "Gửi nhầm đơn vị.");
    assert_eq!(start(&member, &id).await.status, 404);
    assert_eq!(recall(&officer, &id).await.status, 409);
    assert_eq!(publish(&officer, &id, &[world.cell]).await.status, 409);
    assert_eq!(change(&officer, &id, &json!({"title": "x"})).await.status, 409);
    assert_eq!(world.audit_count("document.recalled").await, 1);
}
