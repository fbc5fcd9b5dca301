//! What peers may not learn of each other from leaderboards, neither from a row nor by subtraction, with or without Redis.

use serde_json::{Value, json};
use sotay::kernel::security::access::Role;
use uuid::Uuid;

use crate::leaderboards::{earn, project};
use crate::support::{Actor, World};

async fn board(viewer: &Actor, unit: Uuid) -> Value {
    viewer.get(&format!("/v1/leaderboards/members?unit_id={unit}")).await.expect(200).body
}

fn points(list: &Value) -> Vec<i64> {
    list["items"].as_array().unwrap().iter().map(|place| place["points"].as_i64().unwrap()).collect()
}

async fn neighbourhood(viewer: &Actor, unit: Uuid, width: u32) -> Vec<(i64, i64, bool)> {
    let path = format!("/v1/leaderboards/members/neighbourhood?unit_id={unit}&width={width}");
    let found = viewer.get(&path).await.expect(200).body;
    let place = |place: &Value| {
        (place["rank"].as_i64().unwrap(), place["points"].as_i64().unwrap(), place["me"].as_bool().unwrap())
    };
    found["items"].as_array().unwrap().iter().map(place).collect()
}

async fn hide(member: &Actor, hidden: bool) {
    let choices = json!({"named_on_leaderboards": true, "hidden_on_leaderboards": hidden});
    let me = member.patch("/v1/me", &choices).await.expect(200).body;
    assert_eq!(me["hidden_on_leaderboards"], hidden);
}

async fn cells(viewer: &Actor, period: &str) -> Value {
    viewer.get(&format!("/v1/leaderboards/cells?band=small&period={period}")).await.expect(200).body
}

#[actix_web::test]
async fn of_whoever_is_below_or_hidden_peers_see_one_number() {
    let world = World::new().await;
    let mut cell = Vec::new();
    for meetings in [5, 4, 4, 4, 4, 4, 4, 2] {
        let member = world.member().await;
        earn(&world, member.id, meetings).await;
        cell.push(member);
    }
    let exempt = world.member().await;
    world.exempt(exempt.id).await;
    project(&world.app).await;
    let seen = board(&cell[1], world.cell).await;
    assert_eq!(points(&seen), [40, 32, 32, 32, 32, 32, 32], "no row of the one with 16 points");
    assert_eq!(seen["others"], 2, "one below, one exempt");
    let own = board(&cell[7], world.cell).await;
    assert_eq!((points(&own).len(), &own["others"], &own["me"]), (8, &json!(1), &json!({"rank": 8, "points": 16})));
    hide(&cell[0], true).await;
    let seen = board(&cell[1], world.cell).await;
    assert_eq!((points(&seen).len(), &seen["others"]), (6, &json!(3)), "nor of whoever chose to be hidden");
    assert_eq!(board(&world.secretary().await, world.cell).await["items"].as_array().unwrap().len(), 9);
    hide(&cell[0], false).await;
    assert_eq!(points(&board(&cell[1], world.cell).await)[0], 40);
}

/// Points 40, 32, 32, 32, 16, 16, 8 in three cells.
async fn no_place_below_the_threshold(world: &World) {
    let mut people = Vec::new();
    for (number, meetings) in [5, 4, 4, 4, 2, 2, 1].into_iter().enumerate() {
        let cell = [world.cell, world.sibling, world.other_cell][number % 3];
        let member = world.member_of(cell, &format!("Lý Thị Ba {number}")).await;
        earn(world, member.id, meetings).await;
        people.push(member);
    }
    project(&world.app).await;
    let near = async |number: usize, width: u32| neighbourhood(&people[number], world.province, width).await;
    assert_eq!(near(1, 1).await, [(2, 32, false), (2, 32, true)], "one's own comes last of one's equals");
    assert_eq!(near(0, 20).await, [(1, 40, true), (2, 32, false), (2, 32, false), (2, 32, false)]);
    assert_eq!(near(3, 2).await, [(2, 32, false), (2, 32, false), (2, 32, true)]);
    assert_eq!(near(5, 2).await, [(2, 32, false), (5, 16, true)], "the equal with 16 points is left out");
    assert_eq!(near(6, 3).await, [(2, 32, false), (7, 8, true)]);
}

#[actix_web::test]
async fn the_neighbourhood_leaves_out_places_below_in_roll_ups() {
    no_place_below_the_threshold(&World::new().await).await;
}

#[actix_web::test]
async fn the_neighbourhood_leaves_out_places_below_in_redis() {
    no_place_below_the_threshold(&World::with_redis().await).await;
}

#[actix_web::test]
async fn the_neighbourhood_leaves_out_places_below_in_a_cell() {
    let world = World::new().await;
    let mut people = Vec::new();
    for meetings in [4, 4, 2, 2] {
        let member = world.member().await;
        earn(&world, member.id, meetings).await;
        people.push(member);
    }
    assert_eq!(neighbourhood(&people[0], world.cell, 5).await, [(1, 32, false), (1, 32, true)]);
    let own = [(1, 32, false), (1, 32, false), (3, 16, true)];
    assert_eq!(neighbourhood(&people[2], world.cell, 5).await, own);
    assert_eq!(neighbourhood(&people[2], world.cell, 1).await, [(3, 16, true)], "the place above is the equal's");
}

#[actix_web::test]
async fn a_longer_span_less_its_months_leaves_no_figures_of_few() {
    let world = World::new().await;
    let mut people = Vec::new();
    for number in 0..4 {
        people.push(world.member_of(world.cell, &format!("Vũ Văn Tư {number}")).await);
    }
    world.app.set_time("2026-10-20T09:00:00+07:00");
    for member in &people {
        earn(&world, member.id, 1).await;
    }
    project(&world.app).await;
    world.app.set_time("2026-11-20T10:00:00+07:00");
    for number in 0..2 {
        people
            .push(world.member_since(world.cell, &format!("Vũ Văn Năm {number}"), "2026-11-02".parse().unwrap()).await);
    }
    for member in &people {
        earn(&world, member.id, 4).await;
    }
    project(&world.app).await;
    let officer = world.officer(world.other_cell, Role::Inspector, world.ward).await;
    let of = async |period: &str| {
        let path = format!("/v1/leaderboards/cells?unit_id={}&band=small&period={period}", world.ward);
        officer.get(&path).await.expect(200).body["items"].clone()
    };
    assert_eq!(of("2026-10").await, json!([]), "four members are too few");
    let month = of("2026-11").await;
    assert_eq!((&month[0]["counted"], &month[0]["average"]), (&json!(6), &json!(32.0)));
    for longer in ["2026-Q4", "2026"] {
        assert_eq!(of(longer).await, month, "the month of four is left out of {longer}");
    }
}

#[actix_web::test]
async fn an_average_less_the_rows_of_the_list_leaves_no_points_of_few() {
    let world = World::new().await;
    let mut people = Vec::new();
    for meetings in [5, 5, 5, 5, 5, 2] {
        let member = world.member().await;
        earn(&world, member.id, meetings).await;
        people.push(member);
    }
    project(&world.app).await;
    let seen = cells(&people[0], "2026-11").await;
    assert_eq!(
        (&seen["own"]["average"], &seen["own"]["counted"]),
        (&Value::Null, &json!(6)),
        "16 is what it would leave"
    );
    assert_eq!(cells(&people[0], "2026-Q4").await["own"]["average"], Value::Null);
    let officer = world.officer(world.other_cell, Role::Inspector, world.ward).await;
    let path = format!("/v1/leaderboards/cells?unit_id={}&band=small", world.ward);
    assert_eq!(officer.get(&path).await.expect(200).body["items"][0]["average"], json!(36.0));
    // Nobody is below any more: there is nothing to be told by subtraction, until one of them hides.
    earn(&world, people[5].id, 3).await;
    project(&world.app).await;
    assert_eq!(cells(&people[0], "2026-11").await["own"]["average"], json!(40.0));
    hide(&people[5], true).await;
    assert_eq!(cells(&people[0], "2026-11").await["own"]["average"], Value::Null);
}
