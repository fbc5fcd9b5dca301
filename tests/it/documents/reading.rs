//! Reading sessions and confirmations as members use them.

use diesel_async::RunQueryDsl;
use serde_json::json;

use super::{acknowledge, beat, complete, on_board, published, read, start};
use crate::support::{World, sum_of_entries};

#[actix_web::test]
async fn a_document_read_to_the_end_earns_its_points() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let id = published(&world, &officer, json!({})).await;
    let session = start(&member, &id).await.expect(201);
    assert_eq!(session.body["required_seconds"], 60);
    assert_eq!(session.body["credited_seconds"], 0);
    assert_eq!(session.body["expires_at"], "2026-11-20T05:00:00Z");
    world.app.advance(40);
    let heard = beat(&member, &session.id()).await.expect(200);
    assert_eq!(heard.body["credited_seconds"], 40);
    world.app.advance(20);
    let done = complete(&member, &session.id()).await.expect(200);
    assert_eq!(done.body["points_awarded"], 3);
    assert_eq!(done.body["entries"][0]["rule"], "document_read");
    assert_eq!(done.body["entries"][0]["object"], json!({"kind": "document", "id": id}));
    assert_eq!(done.body["month"]["period"], "2026-11");
    assert_eq!(done.body["month"]["points"], 3);
    assert_eq!(sum_of_entries(&world.app, member.id).await, 3);
    assert_eq!(on_board(&world, &member).await, 3);
    let after = beat(&member, &session.id()).await.expect(200);
    assert_eq!(after.body["completed"], true);
}

#[actix_web::test]
async fn a_receipt_of_former_days_is_answered_as_it_was() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let id = published(&world, &officer, json!({})).await;
    let session = start(&member, &id).await.expect(201).id();
    world.app.advance(60);
    let first = complete(&member, &session).await.expect(200).body;
    assert_eq!(complete(&member, &session).await.expect(200).body, first);
    assert_eq!((&first["entries"][0]["day"], &first["entries"][0]["kind"]), (&json!("2026-11-20"), &json!("award")));
    assert_eq!(first["entries"][0]["unit_id"], json!(world.cell));
    let mut conn = world.app.state.db.conn().await.unwrap();
    let former = "UPDATE reading_sessions SET receipt = receipt #- '{entries,0,day}' #- '{entries,0,unit_id}'";
    diesel::sql_query(former).execute(&mut *conn).await.unwrap();
    drop(conn);
    let mut told = first;
    told["entries"][0].as_object_mut().unwrap().retain(|field, _| !["day", "unit_id"].contains(&field.as_str()));
    assert_eq!(complete(&member, &session).await.expect(200).body, told);
}

#[actix_web::test]
async fn a_scan_takes_a_minute_a_page_within_bounds() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    for (pages, seconds) in [(2, 120), (400, 900)] {
        let scan = json!({"text": "", "pages": pages});
        let id = published(&world, &officer, scan).await;
        let session = start(&member, &id).await.expect(201);
        assert_eq!(session.body["required_seconds"], seconds);
    }
    let short = published(&world, &officer, json!({"text": "Ngắn."})).await;
    let session = start(&member, &short).await.expect(201);
    assert_eq!(session.body["required_seconds"], 30);
}

#[actix_web::test]
async fn a_long_absence_credits_one_gap_only() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let id = published(&world, &officer, json!({"text": "chữ ".repeat(500)})).await;
    let session = start(&member, &id).await.expect(201).id();
    world.app.advance(3600);
    let heard = beat(&member, &session).await.expect(200);
    assert_eq!(heard.body["credited_seconds"], 90);
    assert_eq!(complete(&member, &session).await.code(), "reading_too_short");
    world.app.advance(30);
    complete(&member, &session).await.expect(200);
}

#[actix_web::test]
async fn the_cap_of_a_day_leaves_the_document_for_another_day() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let mut last = String::new();
    for points in [3, 3, 0] {
        last = published(&world, &officer, json!({})).await;
        let done = read(&world, &member, &last).await;
        assert_eq!(done.body["points_awarded"], points);
    }
    world.app.set_time("2026-11-21T08:00:00+07:00");
    let done = read(&world, &member, &last).await;
    assert_eq!(done.body["points_awarded"], 3);
    assert_eq!(sum_of_entries(&world.app, member.id).await, 9);
}

#[actix_web::test]
async fn a_must_read_document_is_confirmed_once() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let id = published(&world, &officer, json!({"must_read_by": "2026-11-30"})).await;
    let first = acknowledge(&member, &id).await.expect(200);
    assert_eq!(first.body["points_awarded"], 1);
    assert_eq!(first.body["entries"][0]["rule"], "document_acknowledged");
    let second = acknowledge(&member, &id).await.expect(200);
    assert_eq!(second.body["points_awarded"], 0);
    assert_eq!(second.body["refusals"][0]["reason"], "already_credited");
    assert_eq!(acknowledge(&world.outsider().await, &id).await.status, 404);
    let other = published(&world, &officer, json!({})).await;
    assert_eq!(acknowledge(&member, &other).await.code(), "rule_not_met");
    assert_eq!(sum_of_entries(&world.app, member.id).await, 1);
    assert_eq!(world.audit_count("document.acknowledged").await, 1);
}

#[actix_web::test]
async fn only_members_whom_it_reaches_start_reading() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let id = published(&world, &officer, json!({})).await;
    assert_eq!(start(&world.outsider().await, &id).await.status, 404);
    assert_eq!(start(&officer, &id).await.status, 404);
    assert_eq!(start(&world.administrator().await, &id).await.status, 404);
    assert_eq!(start(&world.secretary().await, &id).await.status, 201);
}
