//! Units' parameters of self-service points: never widened; later narrowing above binds below.

use serde_json::{Value, json};
use sotay::kernel::security::access::Role;
use sotay::points::{Deed, award};
use uuid::Uuid;

use crate::support::{Actor, Reply, World, sum_of_entries};

const NAME: &str = "self_service_day_cap";

async fn set_cap(actor: &Actor, unit: Uuid, value: i32, from: &str) -> Reply {
    let body = json!({"name": NAME, "value": value, "from": from});
    actor.post(&format!("/v1/units/{unit}/point-parameters"), &body).await
}

/// The cap that holds for a unit today, and who set it.
async fn cap(actor: &Actor, unit: Uuid) -> (Value, Value) {
    let list = actor.get(&format!("/v1/units/{unit}/point-parameters")).await.expect(200);
    let shown = list.body["items"].as_array().unwrap().iter().find(|item| item["name"] == NAME).unwrap();
    (shown["value"].clone(), shown["unit_id"].clone())
}

/// Six points that one earns alone, or what caps leave of them.
async fn study(world: &World, member: Uuid) -> i32 {
    let now = world.app.state.clock.now();
    let deed =
        Deed { event: "study.alone", object_kind: "study", object_id: Uuid::now_v7().to_string(), ..Deed::default() };
    let given = world.app.state.db.transaction(async |conn| award(conn, member, &deed, now).await).await.unwrap();
    given.points_awarded
}

#[actix_web::test]
async fn no_unit_lets_its_members_earn_more_alone_than_its_superiors_do() {
    let world = World::new().await;
    let officer = world.committee_officer().await;
    let superior = world.officer(world.other_cell, Role::CommitteeOfficer, world.province).await;
    // Twelve in the whole system.
    let wider = set_cap(&superior, world.province, 13, "2026-11").await.expect(422);
    let fault = &wider.body["errors"][0];
    assert_eq!((wider.code(), &fault["pointer"], &fault["code"]), ("rule_widened", &json!("/value"), &json!("wider")));
    set_cap(&officer, world.ward, 3, "2026-12").await.expect(200);
    // The ward leaves three from December on.
    set_cap(&officer, world.cell, 13, "2026-11").await.expect(422);
    set_cap(&officer, world.cell, 12, "2026-11").await.expect(200);
    for value in [4, 12, 10_000] {
        let wider = set_cap(&officer, world.cell, value, "2026-12").await.expect(422);
        assert_eq!(wider.code(), "rule_widened", "{value}");
    }
    assert_eq!(cap(&officer, world.cell).await, (json!(12), json!(world.cell)));
    assert_eq!(world.audit_count("points.parameter_set").await, 2, "what is refused is not set");
    // What a unit itself has narrowed, it may take back.
    for (value, from) in [(2, "2026-12"), (3, "2026-12"), (0, "2027-01")] {
        set_cap(&officer, world.cell, value, from).await.expect(200);
    }
    world.app.set_time("2026-12-01T08:00:00+07:00");
    assert_eq!(cap(&officer, world.cell).await, (json!(3), json!(world.cell)));
    assert_eq!(cap(&officer, world.sibling).await, (json!(3), json!(world.ward)));
}

#[actix_web::test]
async fn a_superior_who_narrows_later_binds_everybody_below_the_same_day() {
    let world = World::new().await;
    world.rule_of_self_study().await;
    let (officer, member) = (world.committee_officer().await, world.member().await);
    set_cap(&officer, world.cell, 10, "2026-11").await.expect(200);
    assert_eq!(study(&world, member.id).await, 6);
    // Verification tells by the time what was set before an award.
    world.app.advance(1);
    set_cap(&officer, world.ward, 6, "2026-11").await.expect(200);
    let visit = member.post("/v1/me/visits", &json!({})).await.expect(200).body;
    assert_eq!((&visit["points_awarded"], &visit["refusals"][0]["reason"]), (&json!(0), &json!(NAME)));
    assert_eq!(cap(&member, world.cell).await, (json!(6), json!(world.ward)));
    set_cap(&officer, world.cell, 7, "2026-11").await.expect(422);
    world.app.set_time("2026-11-21T08:00:00+07:00");
    let visit = member.post("/v1/me/visits", &json!({})).await.expect(200).body;
    assert_eq!(visit["points_awarded"], 1);
    assert_eq!(study(&world, member.id).await, 5);
    assert_eq!(sum_of_entries(&world.app, member.id).await, 12);
}
