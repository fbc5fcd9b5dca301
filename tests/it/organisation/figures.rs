//! Figures right before and after a transfer and a merger in mid-month.
//! Roll-ups, boards, the closing, and what they are made of.

use serde_json::{Value, json};
use sotay::jobs;
use sotay::kernel::security::access::Role;
use uuid::Uuid;

use crate::support::{Actor, World};
use crate::verify::{boards_differ, ledger_differs};

/// The members, the denominator and who reached the threshold; and the same of each unit below that has members.
async fn roll_up(officer: &Actor, unit: Uuid, period: &str) -> ([i64; 3], Vec<(Value, [i64; 3])>) {
    let counts = |summary: &Value| ["members", "counted", "met"].map(|name| summary[name].as_i64().unwrap());
    let body = officer.get(&format!("/v1/units/{unit}/points/summary?period={period}")).await.expect(200).body;
    let items = body["items"].as_array().unwrap().iter();
    let below = items.map(|item| (item["unit_id"].clone(), counts(&item["summary"])));
    (counts(&body["summary"]), below.filter(|(_, [members, ..])| *members > 0).collect())
}

/// Ranks and points of the month's board of a unit, as an officer sees them; the viewer's own; and where they come from.
async fn board(officer: &Actor, viewer: &Actor, unit: Uuid) -> (Vec<(i64, i64)>, Value, Value) {
    let path = format!("/v1/leaderboards/members?unit_id={unit}&period=2026-12");
    let (all, body) = (officer.get(&path).await.expect(200).body, viewer.get(&path).await.expect(200).body);
    let place = |place: &Value| (place["rank"].as_i64().unwrap(), place["points"].as_i64().unwrap());
    (all["items"].as_array().unwrap().iter().map(place).collect(), body["me"].clone(), body["source"].clone())
}

/// Takes in what has changed, boards in Redis too, and insists that everything is what the ledger makes it.
async fn settle(world: &World) {
    while jobs::project(&world.app.state).await.unwrap() {}
    jobs::project(&world.app.state).await.unwrap();
    assert_eq!(ledger_differs(world).await, Vec::<String>::new());
    assert_eq!(boards_differ(world).await, Vec::<String>::new());
}

fn me(rank: i64, points: i64) -> Value {
    json!({"rank": rank, "points": points})
}

#[actix_web::test]
async fn figures_follow_a_transfer_and_a_merger_and_the_months_before_stay() {
    let world = World::with_redis().await;
    let province = world.officer(world.other_cell, Role::CommitteeOfficer, world.province).await;
    let (leaving, receiving) =
        (world.secretary().await, world.officer(world.other_cell, Role::CellSecretary, world.other_cell).await);
    let (mover, stayer, sibling) = (world.member().await, world.member().await, world.outsider().await);
    let exempt = world.member().await;
    world.exempt(exempt.id).await;
    // November, and the first days of December, in the cells of then.
    world.credit(mover.id).await;
    settle(&world).await;
    world.app.set_time("2026-12-05T09:00:00+07:00");
    for (member, meetings) in [(&mover, 4), (&stayer, 2), (&sibling, 1)] {
        for _ in 0..meetings {
            world.credit(member.id).await;
        }
    }
    settle(&world).await;
    let november = roll_up(&province, world.province, "2026-11").await;
    let (ward, other) = (json!(world.ward), json!(world.other_ward));
    assert_eq!(november, ([7, 6, 0], vec![(ward.clone(), [5, 4, 0]), (other.clone(), [2, 2, 0])]));
    let december = roll_up(&province, world.province, "2026-12").await;
    assert_eq!(december, ([7, 6, 1], vec![(ward.clone(), [5, 4, 1]), (other.clone(), [2, 2, 0])]));
    let of_province = vec![(1, 32), (2, 16), (3, 8), (4, 0), (4, 0), (4, 0)];
    let in_redis = json!("board");
    assert_eq!(board(&province, &mover, world.province).await, (of_province.clone(), me(1, 32), in_redis.clone()));
    assert_eq!(board(&province, &stayer, world.ward).await.0, [(1, 32), (2, 16), (3, 8), (4, 0)]);
    assert_eq!(board(&province, &province, world.other_ward).await.0, [(1, 0), (1, 0)]);

    // One who reached the threshold goes to a cell of another committee.
    world.app.set_time("2026-12-10T09:00:00+07:00");
    let transfer = json!({"to_unit_id": world.other_cell, "reason": "Chuyển nơi cư trú"});
    let transfer = leaving.post(&format!("/v1/members/{}/transfers", mover.id), &transfer).await.expect(201).id();
    receiving.post(&format!("/v1/transfers/{transfer}/accept"), &json!({})).await.expect(200);
    settle(&world).await;
    let moved = ([7, 6, 1], vec![(ward.clone(), [4, 3, 0]), (other.clone(), [3, 3, 1])]);
    assert_eq!(roll_up(&province, world.province, "2026-12").await, moved);
    assert_eq!(roll_up(&province, world.province, "2026-11").await, november);
    assert_eq!(board(&province, &mover, world.province).await, (of_province.clone(), me(1, 32), in_redis.clone()));
    assert_eq!(board(&province, &mover, world.other_ward).await.0, [(1, 32), (2, 0), (2, 0)]);
    assert_eq!(board(&province, &stayer, world.ward).await.0, [(1, 16), (2, 8), (3, 0)]);

    // The cell that was left is merged into its sibling, and a member earns on in it.
    world.app.set_time("2026-12-12T09:00:00+07:00");
    let merger =
        json!({"kind": "merge", "unit_ids": [world.cell], "into_unit_id": world.sibling, "reason": "Quyết định số 12"});
    province.post("/v1/reorganisations", &merger).await.expect(201);
    settle(&world).await;
    assert_eq!(roll_up(&province, world.province, "2026-12").await, moved);
    world.credit(stayer.id).await;
    settle(&world).await;
    let of_cells = roll_up(&province, world.ward, "2026-12").await;
    assert_eq!(of_cells, ([4, 3, 0], vec![(json!(world.sibling), [4, 3, 0])]));
    let before = roll_up(&province, world.ward, "2026-11").await;
    assert_eq!(before, ([5, 4, 0], vec![(json!(world.cell), [4, 3, 0]), (json!(world.sibling), [1, 1, 0])]));
    assert_eq!(roll_up(&province, world.province, "2026-11").await, november);
    let of_province = vec![(1, 32), (2, 24), (3, 8), (4, 0), (4, 0), (4, 0)];
    assert_eq!(board(&province, &stayer, world.province).await, (of_province, me(2, 24), in_redis));
    assert_eq!(board(&province, &sibling, world.sibling).await.0, [(1, 24), (2, 8), (3, 0)]);

    // The month closes in the cells of its last day, each member once and with the whole month.
    world.app.set_time("2027-01-06T00:10:00+07:00");
    world.close_due().await;
    settle(&world).await;
    let closed = async |period: &str| {
        let path = format!("/v1/units/{}/closing-summaries/{period}", world.province);
        let body = province.get(&path).await.expect(200).body;
        let counts = |item: &Value| ["members", "counted", "met"].map(|name| item["summary"][name].as_i64().unwrap());
        (
            body["cells"].clone(),
            body["closed"].clone(),
            body["items"].as_array().unwrap().iter().map(counts).collect::<Vec<_>>(),
        )
    };
    assert_eq!(closed("2026-12").await, (json!(2), json!(2), vec![[4, 3, 0], [3, 3, 1]]));
    assert_eq!(closed("2026-11").await, (json!(3), json!(3), vec![[5, 4, 0], [2, 2, 0]]));
    assert_eq!(roll_up(&province, world.province, "2026-12").await, moved);
    assert_eq!(roll_up(&province, world.province, "2026-11").await, november);
}
