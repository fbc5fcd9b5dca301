//! Caps that the ledger breaks are named, by whom and when; what was allowed is not.

use serde_json::json;

use super::{after, lines, project};
use crate::support::World;

/// Entries that no cap stopped: points of a member by a rule on a day.
fn entries(world: &World, member: uuid::Uuid, rule: &str, day: &str, points: &[i32]) -> String {
    let values: Vec<String> = points
        .iter()
        .map(|points| {
            let (id, cell) = (uuid::Uuid::now_v7(), world.cell);
            format!("('{member}', '{id}', 'award', '{rule}', 1, 'quiz', '{id}', {points}, '2026-11-01', '{day}', '{day}', '{cell}')")
        })
        .collect();
    format!(
        "INSERT INTO point_entries (member_id, id, kind, rule_code, rule_version, object_kind, object_id, points, period, day,
            occurred_at, unit_id) VALUES {}",
        values.join(", ")
    )
}

async fn over(world: &World, statements: &str) -> Vec<String> {
    after(world, "point_entries", statements).await.into_iter().filter(|line| line.contains("over a cap of")).collect()
}

#[actix_web::test]
async fn what_one_can_earn_alone_is_the_least_that_any_unit_above_leaves() {
    let world = World::new().await;
    world.rule_of_self_study().await;
    let member = world.member().await;
    let set = |unit: Option<uuid::Uuid>, value: i32, id: i32| {
        let unit = unit.map_or("NULL".to_owned(), |unit| format!("'{unit}'"));
        format!(
            "INSERT INTO point_parameters VALUES ('00000000-0000-7000-8000-{id:012}', 'self_service_day_cap', {unit}, {value}, '2026-01-01')"
        )
    };
    let eighteen = entries(&world, member.id, "self_study", "2026-11-20", &[6, 6, 6]);
    let named = |points: i32, cap: i32| {
        vec![format!("member {}, 2026-11-20: {points} points earned alone over a cap of {cap}", member.id)]
    };
    assert_eq!(over(&world, &eighteen).await, named(18, 12));
    let twelve = entries(&world, member.id, "self_study", "2026-11-20", &[6, 6]);
    assert_eq!(over(&world, &twelve).await, [""; 0]);
    // No unit widens what the system or a unit above leaves.
    let ward = set(Some(world.ward), 18, 10);
    assert_eq!(over(&world, &format!("{ward}; {eighteen}")).await, named(18, 12));
    let cell = set(Some(world.cell), 6, 11);
    assert_eq!(over(&world, &format!("{ward}; {cell}; {eighteen}")).await, named(18, 6));
    let (narrow, wide) = (set(Some(world.ward), 6, 12), set(Some(world.cell), 18, 13));
    assert_eq!(over(&world, &format!("{narrow}; {wide}; {twelve}")).await, named(12, 6));
    assert_eq!(over(&world, &format!("{}; {eighteen}", set(Some(world.sibling), 6, 14))).await, named(18, 12));
    // Set after the last award: it did not bind then.
    let later = cell.replace("00000000-0000-7000-8000-000000000011", "ffffffff-0000-7000-8000-000000000011");
    assert_eq!(over(&world, &format!("{later}; {twelve}")).await, [""; 0]);
    assert_eq!(over(&world, &format!("{later}; {eighteen}")).await, named(18, 12));
    // Meetings are attested by others.
    assert_eq!(over(&world, &entries(&world, member.id, "meeting_attended", "2026-11-20", &[8, 8])).await, [""; 0]);
}

#[actix_web::test]
async fn what_units_above_leave_of_a_rule_binds_from_its_day_on() {
    let world = World::new().await;
    let (officer, member) = (world.committee_officer().await, world.member().await);
    for day in ["2026-11-19", "2026-11-20"] {
        world.app.set_time(&format!("{day}T08:00:00+07:00"));
        member.post("/v1/me/visits", &json!({})).await.expect(200);
    }
    let limit = json!({"rule": "daily_visit", "cap_month": 1, "valid_from": "2026-11-21"});
    let id = officer.post(&format!("/v1/units/{}/point-rule-changes", world.ward), &limit).await.expect(201).id();
    officer.post(&format!("/v1/point-rule-changes/{id}/publication"), &json!({})).await.expect(200);
    let limit = json!({"rule": "meeting_attended", "cap_day": 8, "valid_from": "2026-11-21"});
    let id = officer.post(&format!("/v1/units/{}/point-rule-changes", world.cell), &limit).await.expect(201).id();
    officer.post(&format!("/v1/point-rule-changes/{id}/publication"), &json!({})).await.expect(200);
    world.app.set_time("2026-11-21T08:00:00+07:00");
    let refused = member.post("/v1/me/visits", &json!({})).await.expect(200);
    assert_eq!(refused.body["points_awarded"], 0);
    project(&world).await;
    assert_eq!(lines(&world).await, Vec::<String>::new(), "two visits were allowed then");
    let visit = entries(&world, member.id, "daily_visit", "2026-11-21", &[1]);
    let line = format!("member {}, month 2026-11, rule daily_visit: 3 points over a cap of 1", member.id);
    assert_eq!(over(&world, &visit).await, [line]);
    let meetings = |day: &str| entries(&world, member.id, "meeting_attended", day, &[8, 8]);
    let line = format!("member {}, 2026-11-21, rule meeting_attended: 16 points over a cap of 8", member.id);
    assert_eq!(over(&world, &meetings("2026-11-21")).await, [line]);
    assert_eq!(over(&world, &meetings("2026-11-20")).await, [""; 0]);
}
