//! Attempts to earn without reading, asserted on the ledger and the board, not only on the answer.

use diesel_async::RunQueryDsl;
use futures_util::future::join_all;
use serde_json::json;

use super::{acknowledge, beat, change, complete, draft, on_board, publish, published, read, recall, start, write};
use crate::support::{Actor, TestApp, World, points_everywhere};

/// What a member has earned: on the ledger, the counters, the leaderboard and the board of the secretary alike.
async fn earned(world: &World, member: &Actor) -> i64 {
    let points = points_everywhere(world, member).await;
    assert_eq!(on_board(world, member).await, points);
    points
}

async fn nothing_earned(world: &World, member: &Actor) {
    assert_eq!(earned(world, member).await, 0);
}

#[actix_web::test]
async fn time_that_the_client_claims_counts_nothing() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let id = published(&world, &officer, json!({})).await;
    let session = start(&member, &id).await.expect(201).id();
    for path in ["heartbeat", "complete"] {
        for body in [json!({"seconds": 9999}), json!({"points": 999, "member_id": officer.id})] {
            let path = format!("/v1/reading-sessions/{session}/{path}");
            assert_eq!(member.post(&path, &body).await.status, 400);
        }
    }
    let at_once = complete(&member, &session).await;
    assert_eq!((at_once.status, at_once.code()), (409, "reading_too_short"));
    nothing_earned(&world, &member).await;
}

#[actix_web::test]
async fn a_flood_of_heartbeats_credits_the_time_that_passed() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let id = published(&world, &officer, json!({})).await;
    let session = start(&member, &id).await.expect(201).id();
    for _ in 0..100 {
        world.app.state.clock.advance(chrono::Duration::milliseconds(10));
        beat(&member, &session).await.expect(200);
    }
    let heard = join_all((0..20).map(|_| beat(&member, &session))).await;
    for reply in heard {
        assert_eq!(reply.body["credited_seconds"], 1);
    }
    assert_eq!(complete(&member, &session).await.status, 409);
    nothing_earned(&world, &member).await;
}

#[actix_web::test]
async fn a_replayed_completion_gets_the_same_receipt() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let id = published(&world, &officer, json!({})).await;
    let session = start(&member, &id).await.expect(201).id();
    world.app.advance(60);
    let first = complete(&member, &session).await.expect(200);
    world.app.advance(86_400);
    let second = complete(&member, &session).await.expect(200);
    assert_eq!(first.body, second.body);
    assert_eq!(earned(&world, &member).await, 3);
}

#[actix_web::test]
async fn fifty_completions_at_once_through_two_instances_write_one_entry() {
    let world = World::new().await;
    let second = TestApp::beside(&world.app).await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let id = published(&world, &officer, json!({})).await;
    let session = start(&member, &id).await.expect(201).id();
    world.app.advance(60);
    let path = format!("/v1/reading-sessions/{session}/complete");
    let replies = join_all((0..50).map(|i| {
        let app = if i % 2 == 0 { &world.app } else { &second };
        let request = app.request("POST", &path).token(&member.token);
        request.json(&json!({})).send()
    }))
    .await;
    let receipt = replies[0].body.clone();
    assert_eq!(receipt["points_awarded"], 3);
    for reply in replies {
        assert_eq!(reply.expect(200).body, receipt);
    }
    assert_eq!(earned(&world, &member).await, 3);
}

#[actix_web::test]
async fn of_two_documents_side_by_side_one_clock_runs() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let a = published(&world, &officer, json!({})).await;
    let b = published(&world, &officer, json!({})).await;
    let a = start(&member, &a).await.expect(201).id();
    let b = start(&member, &b).await.expect(201).id();
    world.app.advance(60);
    let paused = complete(&member, &a).await;
    assert_eq!((paused.status, paused.code()), (409, "reading_paused"));
    complete(&member, &b).await.expect(200);
    let resumed = beat(&member, &a).await.expect(200);
    assert_eq!(resumed.body["credited_seconds"], 0);
    assert_eq!(complete(&member, &a).await.code(), "reading_too_short");
    assert_eq!(earned(&world, &member).await, 3);
}

#[actix_web::test]
async fn beating_two_sessions_in_turn_credits_neither() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let mut sessions = Vec::new();
    for _ in 0..2 {
        let id = published(&world, &officer, json!({})).await;
        sessions.push(start(&member, &id).await.expect(201).id());
    }
    for turn in 0..20 {
        world.app.advance(10);
        let heard = beat(&member, &sessions[turn % 2]).await.expect(200);
        assert_eq!(heard.body["credited_seconds"], 0);
    }
    nothing_earned(&world, &member).await;
}

#[actix_web::test]
async fn a_hoarded_session_expires() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let id = published(&world, &officer, json!({})).await;
    let session = start(&member, &id).await.expect(201).id();
    world.app.advance(7200);
    for reply in [complete(&member, &session).await, beat(&member, &session).await] {
        assert_eq!((reply.status, reply.code()), (410, "reading_expired"));
    }
    nothing_earned(&world, &member).await;
}

#[actix_web::test]
async fn only_twenty_sessions_stay_open() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let id = published(&world, &officer, json!({})).await;
    let mut sessions = Vec::new();
    for _ in 0..21 {
        sessions.push(start(&member, &id).await.expect(201).id());
        world.app.advance(1);
    }
    assert_eq!(beat(&member, &sessions[0]).await.code(), "reading_expired");
    assert_eq!(beat(&member, &sessions[1]).await.status, 200);
}

#[actix_web::test]
async fn the_session_of_another_does_not_exist() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let thief = world.member().await;
    let id = published(&world, &officer, json!({})).await;
    let session = start(&member, &id).await.expect(201).id();
    world.app.advance(60);
    for reply in [complete(&thief, &session).await, beat(&thief, &session).await] {
        assert_eq!(reply.status, 404);
    }
    nothing_earned(&world, &thief).await;
    nothing_earned(&world, &member).await;
}

#[actix_web::test]
async fn a_session_is_for_one_version() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let id = published(&world, &officer, json!({})).await;
    let session = start(&member, &id).await.expect(201).id();
    change(&officer, &id, &json!({"text": "Nội dung mới."})).await.expect(200);
    world.app.advance(60);
    for reply in [complete(&member, &session).await, beat(&member, &session).await] {
        assert_eq!((reply.status, reply.code()), (409, "document_changed"));
    }
    nothing_earned(&world, &member).await;
}

#[actix_web::test]
async fn reading_again_earns_nothing_nor_does_a_new_version() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let id = published(&world, &officer, json!({})).await;
    read(&world, &member, &id).await;
    change(&officer, &id, &json!({"title": "Bản sửa"})).await.expect(200);
    world.app.advance(86_400);
    let again = read(&world, &member, &id).await;
    assert_eq!(again.body["points_awarded"], 0);
    assert_eq!(again.body["refusals"][0]["reason"], "already_credited");
    assert_eq!(earned(&world, &member).await, 3);
}

#[actix_web::test]
async fn what_is_not_published_cannot_be_read() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let hidden = write(&world, &officer, &draft()).await;
    assert_eq!(start(&member, &hidden).await.status, 404);
    assert_eq!(acknowledge(&member, &hidden).await.status, 404);
    publish(&officer, &hidden, &[world.sibling]).await.expect(200);
    assert_eq!(start(&member, &hidden).await.status, 404);
    let id = published(&world, &officer, json!({})).await;
    let session = start(&member, &id).await.expect(201).id();
    world.app.advance(60);
    recall(&officer, &id).await.expect(200);
    assert_eq!(complete(&member, &session).await.status, 404);
    nothing_earned(&world, &member).await;
}

#[actix_web::test]
async fn the_client_does_not_say_what_day_it_is() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    for points in [3, 3, 0] {
        let id = published(&world, &officer, json!({})).await;
        let session = start(&member, &id).await.expect(201).id();
        world.app.advance(60);
        let path = format!("/v1/reading-sessions/{session}/complete");
        let tomorrow = member.request("POST", &path).header("Date", "Sat, 21 Nov 2026 03:00:00 GMT");
        let done = tomorrow.json(&json!({})).send().await.expect(200);
        assert_eq!(done.body["points_awarded"], points);
    }
    assert_eq!(earned(&world, &member).await, 6);
}

#[actix_web::test]
async fn twenty_confirmations_at_once_stay_under_the_cap() {
    let world = World::new().await;
    let second = TestApp::beside(&world.app).await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let mut ids = Vec::new();
    for _ in 0..22 {
        ids.push(published(&world, &officer, json!({"must_read_by": "2026-11-30"})).await);
    }
    for id in &ids[..2] {
        acknowledge(&member, id).await.expect(200);
    }
    let replies = join_all(ids[2..].iter().enumerate().map(|(i, id)| {
        let app = if i % 2 == 0 { &world.app } else { &second };
        let path = format!("/v1/documents/{id}/acknowledgement");
        let request = app.request("POST", &path).token(&member.token);
        request.json(&json!({})).send()
    }))
    .await;
    let awarded: i64 =
        replies.into_iter().map(|reply| reply.expect(200).body["points_awarded"].as_i64().unwrap()).sum();
    assert_eq!(awarded, 1, "one point was left of the day's three");
    assert_eq!(earned(&world, &member).await, 3);
}

#[actix_web::test]
async fn a_recall_in_the_same_instant_is_not_overtaken() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let id = published(&world, &officer, json!({"must_read_by": "2026-11-30"})).await;
    let session = start(&member, &id).await.expect(201).id();
    world.app.advance(60);
    let locked = tokio::sync::Notify::new();
    // A recall that has changed the row and has not committed yet.
    let recalled = world.app.state.db.transaction(async |conn| {
        let change = format!("UPDATE documents SET state = 'recalled', recalled_at = published_at WHERE id = '{id}'");
        diesel::sql_query(change).execute(conn).await?;
        locked.notify_waiters();
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        Ok(())
    });
    let late = async {
        locked.notified().await;
        futures_util::future::join(complete(&member, &session), acknowledge(&member, &id)).await
    };
    let ((read, confirmed), recalled) = futures_util::future::join(late, recalled).await;
    recalled.unwrap();
    assert_eq!((read.status, confirmed.status), (404, 404));
    nothing_earned(&world, &member).await;
}
