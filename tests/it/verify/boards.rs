//! Leaderboards in Redis: a member with a wrong place is named, and the board is rebuilt.

use std::cell::Cell;

use futures_util::future::join_all;
use redis::AsyncCommands;
use serde_json::json;
use sotay::kernel::db::lease::{self, Lease};
use sotay::kernel::http::problem::Problem;
use sotay::leaderboards::{Lost, RebuildContext, all_boards, differences, give_up, rebuild};
use sotay::points::projection::LEASE;
use uuid::Uuid;

use super::{hold_as, project};
use crate::support::{World, redis_itself, redis_url};

fn means(world: &World) -> RebuildContext<'_> {
    let state = &world.app.state;
    let lease = Lease { name: LEASE, holder: state.instance, fence: 0 };
    RebuildContext { db: &state.db, redis: state.redis.as_ref().unwrap(), clock: &state.clock, lease }
}

/// What differs on any board.
pub async fn on_boards(world: &World) -> Vec<String> {
    on_boards_still(world, async |_| Ok(false)).await
}

/// What differs on any board at each look.
async fn on_boards_still(world: &World, again: impl AsyncFn(usize) -> Result<bool, Problem>) -> Vec<String> {
    let state = &world.app.state;
    let boards = all_boards(&mut state.db.conn().await.unwrap(), state.clock.now()).await.unwrap();
    assert!(!boards.is_empty());
    differences(&means(world), &boards, again).await.unwrap().into_iter().map(|(_, line)| line).collect()
}

/// Boards of the province that are not finished: seconds they are still kept for, each meddled with.
fn unfinished(world: &World, meddle: &str) -> Vec<i64> {
    let mut redis = redis::Client::open(redis_url()).unwrap().get_connection().unwrap();
    let script = format!(
        "local kept = {{}}
         for i, key in ipairs(redis.call('KEYS', '{{board:{}:*:next:*')) do kept[i] = redis.call('TTL', key); {meddle} end
         return kept",
        world.province
    );
    redis::cmd("EVAL").arg(script).arg(0).query(&mut redis).unwrap()
}

/// A rebuild whose boards are meddled with just before they are placed.
async fn meddled(world: &World, boards: &[Lost], meddle: &str) -> Result<usize, Problem> {
    let lease = hold_as(world, world.app.state.instance).await;
    let means = RebuildContext { lease, ..means(world) };
    let kept = std::cell::RefCell::new(Vec::new());
    let made = rebuild(&means, boards, |_, _| kept.borrow_mut().extend(unfinished(world, meddle))).await;
    let kept = kept.into_inner();
    assert!(!kept.is_empty() && kept.iter().all(|seconds| *seconds > 0), "killed now, they would stay: {kept:?}");
    made
}

#[actix_web::test]
async fn a_board_that_lost_something_on_its_way_is_not_placed_and_nothing_stays_behind() {
    let world = World::with_redis().await;
    for _ in 0..5 {
        world.member().await;
    }
    // The program's own loop has nothing to rebuild.
    project(&world).await;
    project(&world).await;
    let state = &world.app.state;
    let boards = all_boards(&mut state.db.conn().await.unwrap(), state.clock.now()).await.unwrap();
    assert_eq!(meddled(&world, &boards, "").await.unwrap(), 5 * boards.len());
    assert_eq!(on_boards(&world).await, Vec::<String>::new());
    // The old ones stay.
    assert_eq!(meddled(&world, &boards, "redis.call('ZREMRANGEBYRANK', key, 0, 0)").await.unwrap(), 0);
    assert_eq!(on_boards(&world).await, Vec::<String>::new());
    assert_eq!(unfinished(&world, ""), Vec::<i64>::new());
    // A fault of Redis, after which it is left alone for a while.
    let spoilt = meddled(&world, &boards, "redis.call('SET', key, 'no board', 'EX', 9)").await;
    assert!(spoilt.is_err(), "{spoilt:?}");
    assert_eq!(unfinished(&world, ""), Vec::<i64>::new());
    world.app.advance(5);
    assert_eq!(on_boards(&world).await, Vec::<String>::new());
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
        let means = RebuildContext { lease, ..means(&world) };
        let made = join_all((0..6).map(|_| rebuild(&means, &boards, |_, _| {}))).await;
        assert!(made.iter().all(Result::is_ok), "{made:?}");
        assert_eq!(on_boards(&world).await, Vec::<String>::new());
    }
    assert_eq!(unfinished(&world, ""), Vec::<i64>::new(), "nothing is left behind");
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
    // The program's own loop would repair a board of the wrong size before the comparison.
    hold_as(&world, Uuid::nil()).await;
    for other in &all[..22] {
        let _: i64 = redis.zadd(&board, other, 7).await.unwrap();
    }
    let _: i64 = redis.zadd(&board, "4000000", 7).await.unwrap();
    let found = on_boards(&world).await;
    assert_eq!(found.len(), 22, "{found:?}");
    assert_eq!(found[20..], [format!("{name}: … and 3 more"), format!("{name}: 23 members are ranked, 24 are on it")]);

    hold_as(&world, world.app.state.instance).await;
    give_up(&means(&world)).await.unwrap();
    project(&world).await;
    sotay::jobs::project(&world.app.state).await.unwrap();
    assert_eq!(on_boards(&world).await, Vec::<String>::new());
}

/// Sets the score of a member on the month's board of the province, behind the program's back.
async fn set(world: &World, no: &str, score: i32) {
    let board = format!("{{board:{}:2026-11}}:scores", world.province);
    let _: i64 = redis_itself().await.zadd(&board, no, score).await.unwrap();
}

/// Redis lags by seconds: what the next comparison finds right was in transit, as may be what differs only then.
#[actix_web::test]
async fn what_is_on_its_way_to_a_board_is_not_named() {
    let world = World::with_redis().await;
    for _ in 0..4 {
        world.member().await;
    }
    project(&world).await;
    assert_eq!(on_boards(&world).await, Vec::<String>::new());
    // The program's own loop would mend a board of the wrong size.
    hold_as(&world, Uuid::nil()).await;
    let board = format!("{{board:{}:2026-11}}:scores", world.province);
    let all: Vec<String> = redis_itself().await.zrange(&board, 0, -1).await.unwrap();
    let stranger = "4000000";
    for no in [all[0].as_str(), all[1].as_str(), stranger] {
        set(&world, no, 7).await;
    }
    assert_eq!(on_boards(&world).await.len(), 3);
    let looks = Cell::new(0);
    let again = async |looked: usize| {
        looks.set(looked);
        set(&world, &all[0], 0).await;
        set(&world, &all[2], 7).await;
        let _: i64 = redis_itself().await.zrem(&board, stranger).await.unwrap();
        Ok(looked < 2)
    };
    let named = format!("board {} 2026-11: member no. {} should have 0, has Some(7.0)", world.province, all[1]);
    assert_eq!(on_boards_still(&world, again).await, [named]);
    assert_eq!(looks.get(), 2);
    set(&world, &all[2], 0).await;
    let mended = async |looked: usize| {
        set(&world, &all[1], 0).await;
        Ok(looked < 2)
    };
    assert_eq!(on_boards_still(&world, mended).await, Vec::<String>::new());
}
