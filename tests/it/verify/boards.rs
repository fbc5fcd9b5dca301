//! Leaderboards in Redis: whoever stands wrong on one is named, and the board is made anew.

use redis::AsyncCommands;
use secrecy::SecretString;
use serde_json::json;
use sotay::kernel::lease::Lease;
use sotay::leaderboards::{Means, all_boards, differences, give_up};
use sotay::points::projection::LEASE;

use super::project;
use crate::support::{TestApp, World};

fn means(world: &World) -> Means<'_> {
    let state = &world.app.state;
    let lease = Lease { name: LEASE, holder: state.instance, fence: 0 };
    Means { db: &state.db, redis: state.redis.as_ref().unwrap(), clock: &state.clock, lease }
}

/// What differs on any board.
pub async fn on_boards(world: &World) -> Vec<String> {
    let state = &world.app.state;
    let boards = all_boards(&mut state.db.conn().await.unwrap(), state.clock.now()).await.unwrap();
    assert!(!boards.is_empty());
    differences(&means(world), &boards).await.unwrap().into_iter().map(|(_, line)| line).collect()
}

#[actix_web::test]
async fn whoever_stands_wrong_on_a_board_is_named_and_it_is_made_anew() {
    let url = std::env::var("SOTAY_TEST_REDIS_URL").expect("run the tests with scripts/test");
    let redis = redis::Client::open(url.clone()).unwrap();
    let world =
        World::in_app(TestApp::start_with(|config| config.redis_url = Some(SecretString::from(url))).await).await;
    let member = world.member().await;
    for _ in 0..22 {
        world.member().await;
    }
    member.post("/v1/me/visits", &json!({})).await.expect(200);
    project(&world).await;
    assert_eq!(on_boards(&world).await, Vec::<String>::new());

    let board = format!("{{board:{}:2026-11}}:scores", world.province);
    let mut redis = redis.get_multiplexed_async_connection().await.unwrap();
    let all: Vec<String> = redis.zrange(&board, 0, -1).await.unwrap();
    assert_eq!(all.len(), 23);
    let _: i64 = redis.zadd(&board, &all[22], 7).await.unwrap();
    let name = format!("board {} 2026-11", world.province);
    assert_eq!(on_boards(&world).await, [format!("{name}: member no. {} should have 1, has Some(7.0)", all[22])]);
    for other in &all[..22] {
        let _: i64 = redis.zadd(&board, other, 7).await.unwrap();
    }
    let _: i64 = redis.zadd(&board, "4000000", 7).await.unwrap();
    let found = on_boards(&world).await;
    assert_eq!(found.len(), 22, "{found:?}");
    assert_eq!(found[20..], [format!("{name}: … and 3 more"), format!("{name}: 23 members are ranked, 24 are on it")]);

    give_up(&means(&world)).await.unwrap();
    project(&world).await;
    sotay::jobs::project(&world.app.state).await.unwrap();
    assert_eq!(on_boards(&world).await, Vec::<String>::new());
}
