//! Leaderboards in Redis: whoever stands wrong on one is named, and the board is made anew.

use futures_util::future::join_all;
use redis::AsyncCommands;
use serde_json::json;
use sotay::kernel::lease::{self, Lease};
use sotay::leaderboards::{Means, all_boards, differences, give_up, rebuild};
use sotay::points::projection::LEASE;

use super::project;
use crate::support::{World, redis_itself};

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

/// A holder that stood still for longer than its lease goes on making boards while the next one makes them too.
#[actix_web::test]
async fn boards_made_at_the_same_time_do_not_mix() {
    let world = World::with_redis().await;
    for _ in 0..20 {
        world.member().await;
    }
    let state = &world.app.state;
    let mut conn = state.db.conn().await.unwrap();
    let boards = all_boards(&mut conn, state.clock.now()).await.unwrap();
    for _ in 0..10 {
        let lease = lease::seize(&mut conn, LEASE, state.instance, state.clock.now()).await.unwrap();
        let means = Means { lease, ..means(&world) };
        let made = join_all((0..6).map(|_| rebuild(&means, &boards, |_, _| {}))).await;
        assert!(made.iter().all(Result::is_ok), "{made:?}");
        assert_eq!(on_boards(&world).await, Vec::<String>::new());
    }
    let left: Vec<String> = redis_itself().await.keys(format!("{{board:{}:*next*", world.province)).await.unwrap();
    assert_eq!(left, Vec::<String>::new(), "nothing unfinished is left behind");
}

#[actix_web::test]
async fn whoever_stands_wrong_on_a_board_is_named_and_it_is_made_anew() {
    let world = World::with_redis().await;
    let member = world.member().await;
    for _ in 0..22 {
        world.member().await;
    }
    member.post("/v1/me/visits", &json!({})).await.expect(200);
    project(&world).await;
    assert_eq!(on_boards(&world).await, Vec::<String>::new());

    let board = format!("{{board:{}:2026-11}}:scores", world.province);
    let mut redis = redis_itself().await;
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
