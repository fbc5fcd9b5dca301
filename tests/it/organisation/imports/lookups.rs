//! T6: nobody finds out who is a member by trying numbers.

use serde_json::json;
use sotay::kernel::security::access::Role;

use super::{AN, BINH, import, send, sheet, with};
use crate::organisation::{count, rows};
use crate::support::{Actor, World};

/// Numbers of members that are not the cell's.
async fn strangers(world: &World, officer: &Actor, many: usize) -> Vec<[&'static str; 10]> {
    let people: Vec<[&'static str; 10]> =
        (0..many).map(|n| with(with(AN, 3, ""), 4, format!("0381700{n:05}").leak())).collect();
    send(officer, &format!("unit_id={}&dry_run=false", world.sibling), sheet(&people)).await.expect(200);
    people
}

#[actix_web::test]
async fn t6_comparisons_are_audited_and_say_little() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    let people = strangers(&world, &officer, 2).await;
    let secretary = world.secretary().await;
    let before = count(&world.app, "audit_events WHERE action = 'numbers.looked_up'").await;
    let reply = import(&secretary, &world, true, sheet(&people)).await.expect(422);
    assert_eq!(reply.body["errors"].as_array().unwrap().len(), 2);
    let text = String::from_utf8(reply.bytes).unwrap();
    assert!(!text.contains("Tổ dân phố số 6") && !text.contains("038170"), "{text}");
    assert_eq!(count(&world.app, "audit_events WHERE action = 'numbers.looked_up'").await, before + 1);
    let by = format!("action = 'numbers.looked_up' AND actor_id = '{}'", secretary.id);
    let event = rows(&world.app, &format!("SELECT details FROM audit_events WHERE {by}")).await;
    assert!(event.contains("\"elsewhere\": 2"), "{event}");
}

#[actix_web::test]
async fn t6_more_than_fifty_numbers_a_day_tell_nothing_and_open_a_case() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    let people = strangers(&world, &officer, 60).await;
    let fresh = with(BINH, 4, "038179999999");
    let secretary = world.secretary().await;
    let inspector = world.inspector().await;
    import(&secretary, &world, true, sheet(&people[..30])).await.expect(422);
    // The same numbers again count once.
    import(&secretary, &world, true, sheet(&people[..30])).await.expect(422);
    import(&secretary, &world, true, sheet(&people[30..50])).await.expect(422);
    let known = import(&secretary, &world, true, sheet(&people[50..51])).await.expect(429);
    assert!(known.body["errors"].is_null() && known.header("retry-after").parse::<u64>().unwrap() > 3_600);
    // Whether a number is somebody's makes no difference any more.
    let unknown = import(&secretary, &world, true, sheet(&[fresh])).await.expect(429);
    assert_eq!(unknown.body["detail"], known.body["detail"]);
    import(&secretary, &world, false, sheet(&[fresh, people[55]])).await.expect(429);
    // What is no question is done.
    import(&secretary, &world, false, sheet(&[fresh])).await.expect(200);
    while sotay::jobs::deliver(&world.app.state).await.unwrap() > 0 {}
    let cases = inspector.get(&format!("/v1/cases?unit_id={}", world.ward)).await.expect(200);
    assert_eq!(cases.body["items"][0]["kind"], "numbers_looked_up");
    // Others, and the same person tomorrow, are not concerned.
    import(&officer, &world, true, sheet(&people[50..51])).await.expect(422);
    world.app.advance(86_400);
    import(&secretary, &world, true, sheet(&people[50..51])).await.expect(422);
}

#[actix_web::test]
async fn t6_admissions_and_changes_are_no_way_around() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    let people = strangers(&world, &officer, 52).await;
    let secretary = world.officer(world.cell, Role::CellSecretary, world.cell).await;
    let path = format!("/v1/units/{}/members", world.cell);
    let admit = async |number: &str| {
        let body = json!({"full_name": "Lò Thị Thử", "birth_date": "1980-02-03", "sex": "female",
            "admitted_on": "2005-05-19", "citizen_id": number});
        secretary.post(&path, &body).await
    };
    for person in &people[..50] {
        admit(person[4]).await.expect(409);
    }
    admit(people[50][4]).await.expect(429);
    admit("038170099999").await.expect(201);
}
