//! Leaderboards of provinces: the same answers from Redis and from PostgreSQL, and no request lost without Redis.

use redis::AsyncCommands;
use secrecy::SecretString;
use serde_json::{Value, json};
use sotay::points::{Deed, award};
use uuid::Uuid;

use crate::support::{Actor, TestApp, World};

fn redis_url() -> String {
    std::env::var("SOTAY_TEST_REDIS_URL").expect("SOTAY_TEST_REDIS_URL is not set: run the tests with scripts/test")
}

async fn world_with(redis: Option<&str>) -> World {
    let url = redis.map(|url| SecretString::from(url.to_owned()));
    World::in_app(TestApp::start_with(|config| config.redis_url = url).await).await
}

async fn earn(world: &World, member: Uuid, meetings: usize) {
    let now = world.app.state.clock.now();
    for _ in 0..meetings {
        let object_id = Uuid::now_v7().to_string();
        let deed = Deed { event: "meeting.attended", object_kind: "meeting", object_id, ..Deed::default() };
        world.app.state.db.transaction(async |conn| award(conn, member, &deed, now).await).await.unwrap();
    }
}

async fn board(world: &World, viewer: &Actor, limit: u32) -> Value {
    viewer.get(&format!("/v1/leaderboards/members?unit_id={}&limit={limit}", world.province)).await.expect(200).body
}

fn places(board: &Value) -> Vec<(i64, i64, Option<String>)> {
    let place = |p: &Value| {
        let name = p["member"]["full_name"].as_str().map(str::to_owned);
        (p["rank"].as_i64().unwrap(), p["points"].as_i64().unwrap(), name)
    };
    board["items"].as_array().unwrap().iter().map(place).collect()
}

/// Points 40, 32, 32, 8 in three cells, and an exempt member who is not ranked. The viewer has 8.
async fn the_same_everywhere(world: &World) {
    let (first, viewer) = (world.member().await, world.member().await);
    let (second, third) = (world.outsider().await, world.member_of(world.other_cell, "Đặng Thị Hoa").await);
    let exempt = world.member().await;
    world.exempt(exempt.id).await;
    for (member, meetings) in [(&first, 5), (&second, 4), (&third, 4), (&viewer, 1), (&exempt, 6)] {
        earn(world, member.id, meetings).await;
    }
    world.opt_in(third.id).await;
    let seen = board(world, &viewer, 50).await;
    let (named, hidden) = (Some("Nguyễn Văn An".to_owned()), None);
    let mut expected =
        vec![(1, 40, named.clone()), (2, 32, hidden), (2, 32, Some("Đặng Thị Hoa".to_owned())), (4, 8, named)];
    let mut found = places(&seen);
    expected[1..3].sort();
    found[1..3].sort();
    assert_eq!(found, expected, "exempt members are not ranked; of other cells only those who agreed are named");
    assert_eq!(seen["me"], json!({"rank": 4, "points": 8}));
    let short = board(world, &viewer, 1).await;
    assert_eq!((places(&short).len(), &short["me"]["rank"]), (1, &json!(4)), "one's own place is known beyond the end");
}

#[actix_web::test]
async fn postgresql_ranks_a_province() {
    the_same_everywhere(&world_with(None).await).await;
}

#[actix_web::test]
async fn redis_ranks_a_province_the_same() {
    let world = world_with(Some(&redis_url())).await;
    the_same_everywhere(&world).await;
    let mut c = redis::Client::open(redis_url()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let key = format!("{{board:{}:2026-11}}:scores", world.province);
    assert_eq!(c.zcard::<_, i64>(&key).await.unwrap(), 4, "the board really is in Redis");
}

#[actix_web::test]
async fn a_redis_that_is_away_costs_no_request() {
    the_same_everywhere(&world_with(Some("redis://127.0.0.1:1/")).await).await;
}

#[actix_web::test]
async fn a_projected_board_says_how_old_it_is_and_is_made_anew() {
    let world = world_with(Some(&redis_url())).await;
    let member = world.member().await;
    earn(&world, member.id, 1).await;
    assert_eq!(board(&world, &member, 5).await["me"]["points"], 8);
    earn(&world, member.id, 1).await;
    world.app.advance(20);
    let old = board(&world, &member, 5).await;
    assert_eq!((&old["me"]["points"], &old["as_of"]), (&json!(8), &json!("2026-11-20T03:00:00Z")));
    world.app.advance(20);
    assert_eq!(board(&world, &member, 5).await["me"]["points"], 16);
}

#[actix_web::test]
async fn a_flushed_redis_has_its_boards_again_at_once() {
    let world = world_with(Some(&redis_url())).await;
    let member = world.member().await;
    earn(&world, member.id, 1).await;
    board(&world, &member, 5).await;
    let mut c = redis::Client::open(redis_url()).unwrap().get_multiplexed_async_connection().await.unwrap();
    for part in ["scores", "met", "built", "lease"] {
        let _: i64 = c.del(format!("{{board:{}:2026-11}}:{part}", world.province)).await.unwrap();
    }
    earn(&world, member.id, 1).await;
    assert_eq!(board(&world, &member, 5).await["me"], json!({"rank": 1, "points": 16}));
}
