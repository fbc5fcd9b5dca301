//! Batched awards: none is lost, none counts twice, and one's fault does not fail the others.

use std::collections::HashMap;

use diesel::sql_types::{Array, BigInt, Text, Uuid as SqlUuid};
use diesel::{QueryableByName, sql_query};
use diesel_async::{AsyncConnection, RunQueryDsl};
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::json;
use sotay::kernel::db::Conn;
use sotay::points::{AwardRequest, Deed, award_all};
use uuid::Uuid;

use crate::support::{Actor, Reply, Request, TestApp, World, database_url_as, sum_of_entries};

/// Visits over one of several instances, with a key of its own.
async fn visit(base_url: &str, member: &Actor, key: &str) -> Reply {
    Request::new("POST", &format!("{base_url}/v1/me/visits"))
        .token(&member.token)
        .header("Idempotency-Key", key)
        .json(&json!({}))
        .send()
        .await
}

async fn members(world: &World, count: usize) -> Vec<Actor> {
    let mut members = Vec::new();
    for _ in 0..count {
        members.push(world.member().await);
    }
    members
}

#[actix_web::test]
async fn twenty_members_fought_over_by_two_instances_get_each_point_once() {
    let world = World::new().await;
    let beside = TestApp::beside(&world.app).await;
    let members = members(&world, 20).await;
    let clients = (0..64).map(|client| {
        let (members, urls) = (&members, [&world.app.base_url, &beside.base_url]);
        async move {
            let mut given = 0;
            for turn in 0..10 {
                let member = &members[(client * 7 + turn) % members.len()];
                let reply = visit(urls[(client + turn) % 2], member, &format!("{client}-{turn}")).await.expect(200);
                given += reply.body["points_awarded"].as_i64().unwrap();
            }
            given
        }
    });
    let given: i64 = join_all(clients).await.into_iter().sum();
    assert_eq!(given, 20, "what was acknowledged in all");
    for member in &members {
        assert_eq!(sum_of_entries(&world.app, member.id).await, 1);
    }
}

#[actix_web::test]
async fn a_key_that_comes_many_times_at_once_is_worked_on_once() {
    let world = World::new().await;
    let beside = TestApp::beside(&world.app).await;
    let member = world.member().await;
    let urls = [&world.app.base_url, &beside.base_url];
    let replies = join_all((0..30).map(|n| visit(urls[n % 2], &member, "the-same"))).await;
    for reply in replies {
        assert_eq!(reply.expect(200).body["points_awarded"], 1, "each gets the first answer");
    }
    assert_eq!(sum_of_entries(&world.app, member.id).await, 1);
    let other = Request::new("POST", &format!("{}/v1/me/visits?", urls[0])).token(&member.token);
    let other = other.header("Idempotency-Key", "the-same").json(&json!({})).send().await;
    assert_eq!(other.status, 200, "another address is another operation");
}

#[actix_web::test]
async fn a_visit_that_only_the_ledger_knows_of_is_refused_like_any_other() {
    let world = World::new().await;
    let member = world.member().await;
    let now = world.app.state.clock.now();
    let today = sotay::kernel::clock::day_of(now);
    // Credited for another day, so that the day's own counters know nothing of it.
    let deed = Deed {
        event: "visit",
        object_kind: "day",
        object_id: today.to_string(),
        on: today.pred_opt(),
        ..Deed::default()
    };
    let want = [AwardRequest { member_id: member.id, deed, now }];
    let given = world.app.state.db.transaction(async |conn| award_all(conn, &want).await).await.unwrap();
    assert_eq!(given[0].as_ref().unwrap().points_awarded, 1);
    let reply = visit(&world.app.base_url, &member, "today").await.expect(200);
    assert_eq!(reply.body["refusals"][0]["reason"], "already_credited");
    assert_eq!(sum_of_entries(&world.app, member.id).await, 1);
}

#[actix_web::test]
async fn a_fault_in_one_months_data_fails_nobody_else() {
    let world = World::in_app(TestApp::start_with(|config| config.award_lanes = 1).await).await;
    let members = members(&world, 8).await;
    visit(&world.app.base_url, &members[3], "first").await.expect(200);
    let mut conn = world.app.state.db.conn().await.unwrap();
    sql_query("UPDATE member_months SET counters = '7' WHERE member_id = $1")
        .bind::<SqlUuid, _>(members[3].id)
        .execute(&mut *conn)
        .await
        .unwrap();
    world.app.advance(86_400);
    let statuses: Vec<u16> = join_all(members.iter().map(|member| visit(&world.app.base_url, member, "next")))
        .await
        .iter()
        .map(|reply| reply.status)
        .collect();
    assert_eq!(statuses, [200, 200, 200, 500, 200, 200, 200, 200]);
}

#[actix_web::test]
async fn a_full_queue_says_when_to_come_again_and_loses_nothing() {
    let small = |config: &mut sotay::kernel::config::Config| (config.award_lanes, config.award_queue) = (1, 2);
    let world = World::in_app(TestApp::start_with(small).await).await;
    let members = members(&world, 12).await;
    for member in &members {
        visit(&world.app.base_url, member, "first").await.expect(200);
    }
    world.app.advance(86_400);
    // The owner holds a table that each batch needs, so the one lane waits and the queue fills.
    let mut owner = Conn::establish(&database_url_as(&world.app, "sotay_owner")).await.unwrap();
    sql_query("BEGIN").execute(&mut owner).await.unwrap();
    sql_query("LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE").execute(&mut owner).await.unwrap();
    // The last round is over: the next to come is taken alone.
    tokio::time::sleep(2 * sotay::kernel::batching::queue::BATCH_WINDOW).await;
    let release = async {
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        sql_query("COMMIT").execute(&mut owner).await.unwrap();
    };
    let visits = join_all(members.iter().map(|member| visit(&world.app.base_url, member, "next")));
    let (replies, ()) = tokio::join!(visits, release);
    let refused: Vec<&Reply> = replies.iter().filter(|reply| reply.status == 503).collect();
    assert!(!refused.is_empty() && refused.len() < members.len(), "{} of 12 refused", refused.len());
    assert!(refused.iter().all(|reply| !reply.header("retry-after").is_empty()));
    for (member, reply) in members.iter().zip(&replies) {
        let points = sum_of_entries(&world.app, member.id).await;
        assert_eq!(
            points,
            if reply.status == 200 { 2 } else { 1 },
            "acknowledged means committed, and refused means not"
        );
        visit(&world.app.base_url, member, "next").await.expect(200);
        assert_eq!(sum_of_entries(&world.app, member.id).await, 2);
    }
}

#[actix_web::test]
async fn a_session_that_ended_and_an_officer_without_a_cell_are_refused_among_others() {
    let world = World::new().await;
    let (member, gone, administrator) = (world.member().await, world.member().await, world.administrator().await);
    gone.delete(&format!("/v1/me/sessions/{}", gone.session)).await.expect(204);
    let url = &world.app.base_url;
    let (ok, ended, officer) =
        tokio::join!(visit(url, &member, "a"), visit(url, &gone, "a"), visit(url, &administrator, "a"));
    assert_eq!((ok.status, ended.status, officer.status), (200, 401, 403));
    assert_eq!(gone.get("/v1/me/points").await.status, 401);
    assert_eq!(administrator.get("/v1/me/points").await.status, 403);
}

/// What members may do in a storm: the event, which of a few objects, and for which of the last days. What others vouch for may
/// be of any day of the month.
fn deeds() -> impl Strategy<Value = (usize, &'static str, u8, u8)> {
    let events = prop::sample::select(vec![
        "document.read",
        "document.acknowledged",
        "study.alone",
        "meeting.attended",
        "opinion.accepted",
        "visit",
    ]);
    (0..6_usize, events, 0..8_u8, 0..19_u8).prop_map(|(member, event, object, back)| {
        let attested = matches!(event, "meeting.attended" | "opinion.accepted");
        (member, event, object, if attested { back } else { back % 3 })
    })
}

#[derive(QueryableByName)]
struct Sum {
    #[diesel(sql_type = Text)]
    what: String,
    #[diesel(sql_type = BigInt)]
    points: i64,
}

#[actix_web::test]
async fn no_order_repetition_or_interleaving_exceeds_a_cap_or_credits_twice() {
    let world = World::new().await;
    world.rule_of_self_study().await;
    let beside = TestApp::beside(&world.app).await;
    let members = members(&world, 6).await;
    let now = world.app.state.clock.now();
    let today = sotay::kernel::clock::day_of(now);
    let mut runner = TestRunner::default();
    let mut batch = || {
        let drawn = prop::collection::vec(deeds(), 1..12).new_tree(&mut runner).unwrap().current();
        let want = |(member, event, object, back): (usize, &'static str, u8, u8)| {
            let object_id = if event == "visit" { today.to_string() } else { format!("object {object}") };
            let on = today.checked_sub_days(chrono::Days::new(back.into()));
            let deed = Deed { event, object_kind: "thing", object_id, percent: Some(80), on, ..Deed::default() };
            AwardRequest { member_id: members[member].id, deed, now }
        };
        drawn.into_iter().map(want).collect::<Vec<AwardRequest>>()
    };
    let batches: Vec<Vec<AwardRequest>> = (0..60).map(|_| batch()).collect();
    let storm = batches.iter().enumerate().map(|(n, batch)| {
        let db = if n % 2 == 0 { &world.app.state.db } else { &beside.state.db };
        db.transaction(async |conn| award_all(conn, batch).await)
    });
    let mut given: HashMap<Uuid, i32> = HashMap::new();
    // As many at a time as the two instances have connections for: waiting for a connection is not what is tried here.
    let done: Vec<_> = stream::iter(storm).buffered(20).collect().await;
    for (batch, awards) in batches.iter().zip(done) {
        for (want, award) in batch.iter().zip(awards.unwrap()) {
            *given.entry(want.member_id).or_default() += award.unwrap().points_awarded;
        }
    }
    for member in &members {
        let acknowledged = given.get(&member.id).copied().unwrap_or_default();
        assert_eq!(sum_of_entries(&world.app, member.id).await, i64::from(acknowledged));
    }
    let over = "SELECT format('%s %s', member_id, day) AS what, sum(points) AS points FROM point_entries
        WHERE rule_code IN ('document_read', 'document_acknowledged', 'self_study', 'daily_visit') AND member_id = ANY($1)
        GROUP BY member_id, day HAVING sum(points) > 12";
    let ids: Vec<Uuid> = members.iter().map(|member| member.id).collect();
    let mut conn = world.app.state.db.conn().await.unwrap();
    let over: Vec<Sum> = sql_query(over).bind::<Array<SqlUuid>, _>(ids).load(&mut *conn).await.unwrap();
    assert!(over.is_empty(), "{:?}", over.iter().map(|sum| (&sum.what, sum.points)).collect::<Vec<_>>());
}
