//! Leaderboards: same answers from Redis and PostgreSQL, boards lost and rebuilt, and privacy.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use futures_util::future::join_all;
use redis::AsyncCommands;
use serde_json::{Value, json};
use sotay::jobs;
use sotay::kernel::db::lease;
use sotay::kernel::db::schema::{members, memberships};
use sotay::kernel::security::access::Role;
use sotay::points::projection::LEASE;
use sotay::points::{Deed, award};
use uuid::Uuid;

use crate::support::{Actor, TestApp, World, redis_itself};
use crate::verify::hold_as;

pub async fn earn(world: &World, member: Uuid, meetings: usize) {
    let now = world.app.state.clock.now();
    for _ in 0..meetings {
        let object_id = Uuid::now_v7().to_string();
        let deed = Deed { event: "meeting.attended", object_kind: "meeting", object_id, ..Deed::default() };
        world.app.state.db.transaction(async |conn| award(conn, member, &deed, now).await).await.unwrap();
    }
}

pub async fn project(app: &TestApp) {
    // Once more, since rebuilt boards report their step with the next one.
    while jobs::project(&app.state).await.unwrap() {}
    jobs::project(&app.state).await.unwrap();
}

async fn board(world: &World, viewer: &Actor, limit: u32) -> Value {
    viewer.get(&format!("/v1/leaderboards/members?unit_id={}&limit={limit}", world.province)).await.expect(200).body
}

async fn rank(viewer: &Actor, unit: Uuid, period: &str) -> Value {
    viewer.get(&format!("/v1/me/rank?unit_id={unit}&period={period}")).await.expect(200).body
}

fn places(board: &Value) -> Vec<(i64, i64, Option<String>)> {
    let place = |p: &Value| {
        let name = p["member"]["full_name"].as_str().map(str::to_owned);
        (p["rank"].as_i64().unwrap(), p["points"].as_i64().unwrap(), name)
    };
    board["items"].as_array().unwrap().iter().map(place).collect()
}

/// Points 40, 32, 32, 8 in three cells, and an exempt member who is not ranked. The viewer has 8.
async fn the_same_everywhere(world: &World, source: &str) {
    let (first, viewer) = (world.member().await, world.member().await);
    let (second, third) = (world.outsider().await, world.member_of(world.other_cell, "Đặng Thị Hoa").await);
    let exempt = world.member().await;
    world.exempt(exempt.id).await;
    for (member, meetings) in [(&first, 5), (&second, 4), (&third, 4), (&viewer, 1), (&exempt, 6)] {
        earn(world, member.id, meetings).await;
    }
    world.opt_in(third.id).await;
    project(&world.app).await;
    let seen = board(world, &viewer, 50).await;
    let named = Some("Nguyễn Văn An".to_owned());
    let expected = vec![(1, 40, named.clone()), (2, 32, Some("Đặng Thị Hoa".to_owned())), (4, 8, named)];
    assert_eq!(
        places(&seen),
        expected,
        "exempt members are not ranked; of other cells only those who agreed are shown"
    );
    assert_eq!(seen["others"], 2, "the exempt one, and the one of another cell");
    assert_eq!((&seen["me"], &seen["source"]), (&json!({"rank": 4, "points": 8}), &json!(source)));
    let short = board(world, &viewer, 1).await;
    assert_eq!((places(&short).len(), &short["me"]["rank"]), (1, &json!(4)), "one's own place is known beyond the end");
    let own = rank(&viewer, world.province, "2026-11").await;
    assert_eq!(
        (&own["rank"], &own["points"], &own["of"], &own["source"]),
        (&json!(4), &json!(8), &json!(4), &json!(source))
    );
    assert_eq!(rank(&exempt, world.province, "2026-11").await["rank"], Value::Null);
    let around =
        |width: u32| format!("/v1/leaderboards/members/neighbourhood?unit_id={}&width={width}", world.province);
    let near = viewer.get(&around(2)).await.expect(200).body;
    let place = |rank: i64, points: i64, me: bool| json!({"rank": rank, "points": points, "me": me});
    assert_eq!(near["items"], json!([place(2, 32, false), place(2, 32, false), place(4, 8, true)]));
    assert_eq!(first.get(&around(1)).await.expect(200).body["items"], json!([place(1, 40, true), place(2, 32, false)]));
    for longer in ["2026-Q4", "2026"] {
        assert_eq!(rank(&viewer, world.province, longer).await["rank"], 4);
    }
}

#[actix_web::test]
async fn postgresql_ranks_a_province() {
    the_same_everywhere(&World::new().await, "roll_up").await;
}

#[actix_web::test]
async fn redis_ranks_a_province_the_same() {
    let world = World::with_redis().await;
    the_same_everywhere(&world, "board").await;
    for span in ["2026-11", "2026-Q4", "2026"] {
        let key = format!("{{board:{}:{span}}}:scores", world.province);
        assert_eq!(redis_itself().await.zcard::<_, i64>(&key).await.unwrap(), 4, "the board really is in Redis");
    }
}

#[actix_web::test]
async fn a_redis_that_is_away_costs_no_request() {
    the_same_everywhere(
        &World::in_app(
            TestApp::start_with(|config| config.redis_url = Some("redis://127.0.0.1:1/".to_owned().into())).await,
        )
        .await,
        "roll_up",
    )
    .await;
}

#[actix_web::test]
async fn a_board_follows_step_by_step_and_is_not_believed_when_it_stops() {
    let world = World::with_redis().await;
    let (member, other) = (world.member().await, world.outsider().await);
    earn(&world, other.id, 2).await;
    project(&world.app).await;
    let key = format!("{{board:{}:2026-11}}:about", world.province);
    let made: i64 = redis_itself().await.hget(&key, "step").await.unwrap();
    earn(&world, member.id, 4).await;
    project(&world.app).await;
    let own = rank(&member, world.province, "2026-11").await;
    assert_eq!((&own["rank"], &own["points"], &own["source"]), (&json!(1), &json!(32), &json!("board")));
    let reached: i64 = redis_itself().await.hget(&key, "step").await.unwrap();
    assert!((1..1_000).contains(&(reached - made)), "it was not made anew: {made} to {reached}");
    // Another holder has the lease and updates nothing.
    let mut conn = world.app.state.db.conn().await.unwrap();
    let later = world.app.state.clock.now() + chrono::Duration::days(1);
    lease::seize(&mut conn, LEASE, Uuid::now_v7(), later).await.unwrap();
    world.app.advance(31);
    earn(&world, member.id, 1).await;
    let own = rank(&member, world.province, "2026-11").await;
    assert_eq!((&own["source"], &own["as_of"]), (&json!("roll_up"), &json!("2026-11-20T03:00:00Z")));
}

#[actix_web::test]
async fn a_flushed_board_comes_again_and_meanwhile_postgresql_answers() {
    let world = World::with_redis().await;
    let member = world.member().await;
    earn(&world, member.id, 1).await;
    project(&world.app).await;
    assert_eq!(board(&world, &member, 5).await["source"], "board");
    // The program's own loop would rebuild them before the comparison.
    hold_as(&world, Uuid::nil()).await;
    for part in ["scores", "about"] {
        for span in ["2026-11", "2026-Q4", "2026"] {
            let key = format!("{{board:{}:{span}}}:{part}", world.province);
            let _: i64 = redis_itself().await.del(key).await.unwrap();
        }
    }
    earn(&world, member.id, 1).await;
    let meanwhile = board(&world, &member, 5).await;
    assert_eq!(meanwhile["me"]["points"], 16, "{meanwhile}");
    hold_as(&world, world.app.state.instance).await;
    project(&world.app).await;
    let again = board(&world, &member, 5).await;
    assert_eq!((&again["me"], &again["source"]), (&json!({"rank": 1, "points": 16}), &json!("board")));
}

#[actix_web::test]
async fn whoever_moves_leaves_one_board_for_another() {
    let world = World::with_redis().await;
    let member = world.member().await;
    earn(&world, member.id, 1).await;
    project(&world.app).await;
    let mut conn = world.app.state.db.conn().await.unwrap();
    let today: NaiveDate = "2026-11-20".parse().unwrap();
    diesel::update(memberships::table.filter(memberships::member_id.eq(member.id)))
        .set(memberships::valid_to.eq(today))
        .execute(&mut *conn)
        .await
        .unwrap();
    project(&world.app).await;
    let no: i64 = members::table.find(member.id).select(members::no).first(&mut *conn).await.unwrap();
    let key = format!("{{board:{}:2026-11}}:scores", world.province);
    let score: Option<f64> = redis_itself().await.zscore(&key, no).await.unwrap();
    assert_eq!(score, None);
}

#[actix_web::test]
async fn a_month_that_is_over_is_ranked_among_those_of_then() {
    let world = World::new().await;
    let (member, officer) = (world.member().await, world.committee_officer().await);
    world.app.set_time("2026-10-20T09:00:00+07:00");
    member.post("/v1/me/visits", &json!({})).await.expect(200);
    world.app.set_time("2026-11-10T09:00:00+07:00");
    let order = json!({
        "kind": "merge", "unit_ids": [world.cell], "into_unit_id": world.sibling, "reason": "Quyết định số 12-QĐ/ĐU"
    });
    officer.post("/v1/reorganisations", &order).await.expect(201);
    world.app.set_time("2026-11-20T09:00:00+07:00");
    let ranked = |period: &str| format!("/v1/me/rank?period={period}");
    let then = member.get(&ranked("2026-10")).await.expect(200).body;
    assert_eq!((&then["unit_id"], &then["rank"], &then["points"]), (&json!(world.cell), &json!(1), &json!(1)));
    let now = member.get(&ranked("2026-11")).await.expect(200).body;
    assert_eq!((&now["unit_id"], &now["rank"]), (&json!(world.sibling), &json!(1)));
    let named = format!("{}&unit_id={}", ranked("2026-10"), world.cell);
    assert_eq!(member.get(&named).await.expect(200).body["rank"], 1);
    member.get(&format!("{}&unit_id={}", ranked("2026-11"), world.cell)).await.expect(404);
    // A member who came later is not ranked then, in the cell of today.
    let newcomer = world.member_since(world.sibling, "Phạm Văn Dũng", "2026-11-15".parse().unwrap()).await;
    let none = newcomer.get(&ranked("2026-10")).await.expect(200).body;
    assert_eq!((&none["unit_id"], &none["rank"]), (&json!(world.sibling), &Value::Null));
    let around = member.get("/v1/leaderboards/members/neighbourhood?period=2026-10").await.expect(200).body;
    assert_eq!((&around["unit_id"], &around["items"][0]["me"]), (&json!(world.cell), &json!(true)));
    // Officers above see the boards of a cell that is gone.
    for path in ["members", "cells"] {
        let board = format!("/v1/leaderboards/{path}?period=2026-10&unit_id={}", world.cell);
        officer.get(&board).await.expect(200);
    }
}

#[actix_web::test]
async fn a_new_day_makes_the_boards_anew_since_nobody_says_what_it_changed() {
    let world = World::with_redis().await;
    let (member, other) = (world.member().await, world.member().await);
    earn(&world, member.id, 1).await;
    earn(&world, other.id, 2).await;
    let tomorrow: NaiveDate = "2026-11-21".parse().unwrap();
    world.exempt_from(other.id, tomorrow).await;
    project(&world.app).await;
    assert_eq!(rank(&member, world.province, "2026-11").await["of"], 2, "nobody is exempt today");
    world.app.advance(86_400);
    project(&world.app).await;
    let own = rank(&member, world.province, "2026-11").await;
    assert_eq!((&own["rank"], &own["of"], &own["source"]), (&json!(1), &json!(1), &json!("board")));
}

#[actix_web::test]
async fn a_stale_holder_changes_no_board() {
    let world = World::with_redis().await;
    let member = world.member().await;
    earn(&world, member.id, 1).await;
    project(&world.app).await;
    assert_eq!(rank(&member, world.province, "2026-11").await["source"], "board");
    let (key, mut c) = (format!("{{board:{}:2026-11}}:about", world.province), redis_itself().await);
    // A newer holder has taken the board over.
    let _: i64 = c.hset(&key, "fence", 1_000_000).await.unwrap();
    earn(&world, member.id, 1).await;
    project(&world.app).await;
    let no: i64 = members::table
        .find(member.id)
        .select(members::no)
        .first(&mut *world.app.state.db.conn().await.unwrap())
        .await
        .unwrap();
    let scores = format!("{{board:{}:2026-11}}:scores", world.province);
    let score: Option<f64> = c.zscore(&scores, no).await.unwrap();
    assert_eq!(score, Some(8.0), "left to the newer one");
}

#[actix_web::test]
async fn two_instances_keep_one_board() {
    let world = World::with_redis().await;
    let beside = TestApp::beside(&world.app).await;
    let (member, other) = (world.member().await, world.outsider().await);
    for round in 1..=3 {
        earn(&world, member.id, 1).await;
        earn(&world, other.id, 2).await;
        for app in [&world.app, &beside] {
            project(app).await;
        }
        let mut conn = world.app.state.db.conn().await.unwrap();
        let next = if round % 2 == 0 { &world.app } else { &beside };
        lease::seize(&mut conn, LEASE, next.state.instance, next.state.clock.now()).await.unwrap();
    }
    for app in [&world.app, &beside] {
        project(app).await;
    }
    world.grant(member.id, Role::Inspector, Some(world.province)).await;
    assert_eq!(
        places(&board(&world, &member, 5).await).iter().map(|p| (p.0, p.1)).collect::<Vec<_>>(),
        [(1, 48), (2, 24)]
    );
}

#[actix_web::test]
async fn cells_are_ranked_among_their_like() {
    let world = World::new().await;
    let mut people = Vec::new();
    for cell in [world.cell, world.sibling, world.other_cell] {
        for n in 0..5 {
            people.push((cell, world.member_of(cell, &format!("Phạm Thị Lan {n}")).await));
        }
    }
    for (cell, member) in &people {
        let meetings = if *cell == world.cell { 4 } else { 1 };
        earn(&world, member.id, meetings).await;
    }
    project(&world.app).await;
    let viewer = &people[5].1;
    let of = |unit: Uuid| format!("/v1/leaderboards/cells?unit_id={unit}");
    let ward = viewer.get("/v1/leaderboards/cells").await.expect(200).body;
    assert_eq!((&ward["unit_id"], &ward["band"]), (&json!(world.ward), &json!("small")));
    assert_eq!(ward["items"][0]["name"], "Chi bộ Tổ dân phố số 5");
    assert_eq!(
        (&ward["own"]["rank"], &ward["own"]["rate"], &ward["own"]["average"]),
        (&json!(2), &json!(0.0), &json!(8.0))
    );
    let province = viewer.get(&of(world.province)).await.expect(200).body;
    let ranks: Vec<&Value> = province["items"].as_array().unwrap().iter().map(|item| &item["rank"]).collect();
    assert_eq!(ranks, [1, 2, 2]);
    let hidden = province["items"].as_array().unwrap().iter().filter(|item| item["name"].is_null()).count();
    assert_eq!(hidden, 1, "which cell of another ward it is, a peer does not learn");
    let officer = world.officer(world.other_cell, Role::Inspector, world.province).await;
    let whole = officer.get(&of(world.province)).await.expect(200).body;
    assert!(whole["items"].as_array().unwrap().iter().all(|item| item["name"].is_string()));
    assert_eq!(viewer.get(&of(world.other_ward)).await.status, 404);
    let large = viewer.get(&format!("{}&band=large", of(world.province))).await.expect(200).body;
    assert_eq!(large["items"], json!([]));
}

#[actix_web::test]
async fn a_rank_is_ones_own_only() {
    let world = World::new().await;
    let member = world.member().await;
    assert_eq!(member.get(&format!("/v1/me/rank?unit_id={}", world.other_ward)).await.status, 404);
    assert_eq!(member.get("/v1/me/rank?period=2027").await.status, 400);
    let cell = member.get("/v1/me/rank").await.expect(200).body;
    assert_eq!((&cell["unit_id"], &cell["rank"], &cell["source"]), (&json!(world.cell), &json!(1), &json!("ledger")));
}

/// Batched ranks share the reads of PostgreSQL and Redis; each answer must come back to its own request.
#[actix_web::test]
async fn whoever_asks_at_once_gets_their_own_rank() {
    let world = World::with_redis().await;
    let mut members = Vec::new();
    // Points 0, 8, 8, 16, 24, 24, 32, 40, 40: two share a rank each.
    for (number, meetings) in [0, 1, 1, 2, 3, 3, 4, 5, 5].into_iter().enumerate() {
        let cell = [world.cell, world.other_cell][number % 2];
        let member = world.member_of(cell, &format!("Lê Văn Bảy {number}")).await;
        earn(&world, member.id, meetings).await;
        members.push((member, meetings));
    }
    let (exempt, gone) = (world.member().await, world.member().await);
    world.exempt(exempt.id).await;
    gone.delete("/v1/auth/sessions/current").await.expect(204);
    let administrator = world.administrator().await;
    project(&world.app).await;
    let above = |meetings: usize| members.iter().filter(|(_, others)| *others > meetings).count();
    for period in ["2026-11", "2026-Q4", "2026"] {
        let path = &format!("/v1/me/rank?unit_id={}&period={period}", world.province);
        let ranked = members.iter().map(async |(member, meetings)| {
            let own = member.get(path).await.expect(200).body;
            assert_eq!((&own["rank"], &own["points"]), (&json!(above(*meetings) + 1), &json!(8 * meetings)), "{own}");
            assert_eq!(own["source"], "board");
        });
        let foreign = members.iter().enumerate().map(async |(number, (member, _))| {
            let other = [world.other_ward, world.ward][number % 2];
            assert_eq!(member.get(&format!("/v1/me/rank?unit_id={other}")).await.status, 404);
        });
        let others = async {
            assert_eq!(exempt.get(path).await.expect(200).body["rank"], Value::Null);
            assert_eq!(gone.get(path).await.status, 401);
            assert_eq!(administrator.get(path).await.status, 403);
        };
        tokio::join!(join_all(ranked), join_all(foreign), others);
    }
}

#[actix_web::test]
async fn first_places_without_redis_follow_each_step() {
    let world = World::new().await;
    let (one, other) = (world.member().await, world.member_of(world.other_cell, "Hồ Thị Mai").await);
    earn(&world, one.id, 2).await;
    earn(&world, other.id, 1).await;
    project(&world.app).await;
    let points = |board: &Value| places(board).into_iter().map(|(_, points, _)| points).collect::<Vec<_>>();
    world.grant(other.id, Role::Inspector, Some(world.province)).await;
    assert_eq!(points(&board(&world, &other, 50).await), [16, 8]);
    earn(&world, other.id, 4).await;
    project(&world.app).await;
    let seen = board(&world, &one, 50).await;
    assert_eq!((points(&seen), &seen["me"]), (vec![16], &json!({"rank": 2, "points": 16})));
    assert_eq!(points(&board(&world, &other, 1).await), [40]);
    // What is remembered of others' choices is forgotten in seconds, with or without a step.
    world.opt_in(other.id).await;
    world.app.advance(10);
    assert_eq!(places(&board(&world, &one, 50).await)[0].2.as_deref(), Some("Hồ Thị Mai"));
}
