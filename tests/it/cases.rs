//! Cases: what opens one, what does not, who judges it; points stay as they are.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use sotay::jobs;
use sotay::kernel::db::schema::outbox;
use sotay::kernel::security::access::Role;

use crate::decisions::{confirm, read_code};
use crate::identity::support::{BIRTH, PASSWORD, Person, active, person, redeem, sign_in, text};
use crate::support::{Actor, World, points_everywhere};

/// Delivers what waits, and waits for what the program's own loop has claimed.
async fn settle(world: &World) {
    for _ in 0..400 {
        while jobs::deliver(&world.app.state).await.unwrap() > 0 {}
        let waiting = outbox::table.filter(outbox::done_at.is_null()).count();
        if waiting.get_result::<i64>(&mut *world.app.state.db.conn().await.unwrap()).await.unwrap() == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("events are not delivered");
}

async fn cases(actor: &Actor, world: &World) -> Vec<Value> {
    let list = actor.get(&format!("/v1/cases?unit_id={}", world.ward)).await.expect(200);
    list.body["items"].as_array().unwrap().clone()
}

/// Signs people in one after the other, a minute apart; on one device when it gives its token on.
async fn sign_in_all(world: &World, people: &[Person], one_device: bool) {
    sign_in_on(world, people, one_device, None).await;
}

/// The same on a device that may be known already, whose token comes back.
async fn sign_in_on(world: &World, people: &[Person], one_device: bool, known: Option<String>) -> Option<String> {
    let mut device = known;
    for person in people {
        let tokens = sign_in(&world.app, &person.citizen_id, PASSWORD, device.as_deref()).await.expect(201);
        if one_device {
            device = Some(text(&tokens.body, "device_token"));
        }
        world.app.advance(60);
    }
    settle(world).await;
    device
}

async fn twenty(world: &World) -> Vec<Person> {
    let mut people = Vec::new();
    for _ in 0..20 {
        people.push(active(world).await);
    }
    people
}

#[actix_web::test]
async fn twenty_accounts_in_a_row_from_one_device_open_one_case_and_cost_no_points() {
    let world = World::new().await;
    let (people, inspector) = (twenty(&world).await, world.inspector().await);
    let first = world.sign_in(people[0].id).await;
    first.post("/v1/me/visits", &json!({})).await.expect(200);
    sign_in_all(&world, &people, true).await;
    let found = cases(&inspector, &world).await;
    assert_eq!(found.len(), 1);
    let case = &found[0];
    assert_eq!((&case["kind"], &case["state"]), (&json!("shared_device"), &json!("open")));
    assert_eq!(case["evidence"]["accounts"], 20);
    assert_eq!(case["unit_id"], json!(world.cell));
    let waiting = inspector.get("/v1/me/notifications").await.expect(200).body;
    assert_eq!(
        (&waiting["items"][0]["kind"], &waiting["items"][0]["unit_id"]),
        (&json!("case_opened"), &json!(world.cell))
    );
    // All twenty are on the leaderboard.
    assert_eq!(points_everywhere(&world, &first).await, 1);
    let id = case["id"].as_str().unwrap();
    let detail = inspector.get(&format!("/v1/cases/{id}")).await.expect(200);
    assert_eq!(detail.body["members"].as_array().unwrap().len(), 20);
    assert_eq!(world.audit_count("case.viewed").await, 20);
    // All members concerned see it; the evidence about the others is not theirs.
    let mine = first.get("/v1/me/cases").await.expect(200);
    assert_eq!((&mine.body["items"][0]["state"], &mine.body["items"][0]["evidence"]), (&json!("open"), &Value::Null));
    assert_eq!(world.member().await.get("/v1/me/cases").await.expect(200).body["items"], json!([]));

    let decision = json!({"outcome": "no_action", "reason": "Buổi hướng dẫn sử dụng tại nhà văn hóa."});
    let path = format!("/v1/cases/{id}/decision");
    // Later than what was notified before, so that the order is known.
    world.app.advance(1);
    let decided = inspector.post(&path, &decision).await.expect(200);
    assert_eq!((&decided.body["state"], &decided.body["outcome"]), (&json!("decided"), &json!("no_action")));
    inspector.post(&path, &decision).await.expect(409);
    settle(&world).await;
    let told = first.get("/v1/me/notifications").await.expect(200);
    assert_eq!(told.body["items"][0]["kind"], "case_decided");
    assert_eq!(first.get("/v1/me/cases").await.expect(200).body["items"][0]["reason"], decision["reason"]);
    assert_eq!(points_everywhere(&world, &first).await, 1);
    assert_eq!(world.audit_count("case.decided").await, 1);
    // What was judged is no evidence again.
    sign_in_all(&world, &people[..5], true).await;
    assert_eq!(cases(&inspector, &world).await.len(), 1);
}

#[actix_web::test]
async fn a_case_is_decided_after_the_cell_it_was_found_in_was_merged() {
    let world = World::new().await;
    let (people, inspector, officer) = (twenty(&world).await, world.inspector().await, world.committee_officer().await);
    sign_in_all(&world, &people[..12], true).await;
    let order = json!({
        "kind": "merge", "unit_ids": [world.cell], "into_unit_id": world.sibling, "reason": "Quyết định số 12-QĐ/ĐU"
    });
    officer.post("/v1/reorganisations", &order).await.expect(201);
    let found = cases(&inspector, &world).await;
    assert_eq!((found[0]["unit_id"].clone(), found[0]["state"].clone()), (json!(world.cell), json!("open")));
    let of_cell = inspector.get(&format!("/v1/cases?unit_id={}", world.cell)).await.expect(200);
    assert_eq!(of_cell.body["items"].as_array().unwrap().len(), 1);
    let path = format!("/v1/cases/{}", found[0]["id"].as_str().unwrap());
    inspector.get(&path).await.expect(200);
    let decision = json!({"outcome": "no_action", "reason": "Buổi hướng dẫn sử dụng tại nhà văn hóa."});
    inspector.post(&format!("{path}/decision"), &decision).await.expect(200);
}

async fn called(world: &World, actor: &Actor) -> usize {
    settle(world).await;
    let list = actor.get("/v1/me/notifications").await.expect(200).body;
    list["items"].as_array().unwrap().iter().filter(|item| item["kind"] == "case_opened").count()
}

#[actix_web::test]
async fn a_case_that_grows_out_of_a_ward_calls_the_inspector_above() {
    let world = World::new().await;
    let (people, near) = (twenty(&world).await, world.inspector().await);
    let above = world.officer(world.other_cell, Role::Inspector, world.province).await;
    let move_one = format!(
        "UPDATE memberships SET unit_id = '{}' WHERE member_id = '{}' AND valid_to IS NULL",
        world.other_cell, people[12].id
    );
    diesel::sql_query(move_one).execute(&mut *world.app.state.db.conn().await.unwrap()).await.unwrap();
    let device = sign_in_on(&world, &people[..12], true, None).await;
    assert_eq!((called(&world, &near).await, called(&world, &above).await), (1, 0));
    sign_in_on(&world, &people[12..13], true, device).await;
    assert_eq!((called(&world, &near).await, called(&world, &above).await), (1, 1));
}

#[actix_web::test]
async fn a_shared_office_is_no_case() {
    let world = World::new().await;
    let (people, inspector) = (twenty(&world).await, world.inspector().await);
    // One address, twenty devices; and a helper's phone that a few people use.
    sign_in_all(&world, &people, false).await;
    sign_in_all(&world, &people[..9], true).await;
    assert_eq!(cases(&inspector, &world).await, Vec::<Value>::new());
}

#[actix_web::test]
async fn many_slips_of_one_officer_in_a_row_open_a_case() {
    let world = World::new().await;
    let (secretary, inspector) = (world.secretary().await, world.inspector().await);
    for _ in 0..12 {
        let person = person(&world, world.cell).await;
        let path = format!("/v1/members/{}/activation-slips", person.id);
        let code = text(&secretary.post(&path, &json!({})).await.expect(201).body, "code");
        redeem(&world.app, &code, &person, BIRTH).await.expect(201);
        world.app.advance(30);
    }
    settle(&world).await;
    let found = cases(&inspector, &world).await;
    assert_eq!((found.len(), &found[0]["kind"]), (1, &json!("slips_in_a_row")));
    assert_eq!(found[0]["evidence"]["accounts"], 12);
    assert_eq!(secretary.get("/v1/me/cases").await.expect(200).body["items"][0]["id"], found[0]["id"]);
}

#[actix_web::test]
async fn a_slip_by_an_officer_who_had_looked_at_the_numbers_opens_a_case() {
    let world = World::new().await;
    let (secretary, inspector) = (world.secretary().await, world.inspector().await);
    let (one, other) = (person(&world, world.cell).await, person(&world, world.cell).await);
    let look = async |who: &Person, query: &str| {
        secretary.get(&format!("/v1/members/{}{query}", who.id)).await.expect(200);
    };
    let slip = async |who: &Person| {
        let path = format!("/v1/members/{}/activation-slips", who.id);
        text(&secretary.post(&path, &json!({})).await.expect(201).body, "code")
    };
    // A masked look tells nothing that a slip needs.
    look(&one, "").await;
    let code = slip(&one).await;
    settle(&world).await;
    assert_eq!(cases(&inspector, &world).await, Vec::<Value>::new());
    // Looked at after the slip was issued, and before it is redeemed.
    world.app.advance(60);
    look(&one, "?reveal=true").await;
    redeem(&world.app, &code, &one, BIRTH).await.expect(201);
    settle(&world).await;
    let found = cases(&inspector, &world).await;
    assert_eq!((found.len(), &found[0]["kind"]), (1, &json!("slip_after_reveal")));
    assert_eq!((&found[0]["evidence"]["accounts"], &found[0]["evidence"]["looks"]), (&json!(1), &json!(1)));
    // Looked at before: the case grows as soon as the slip is issued.
    look(&other, "?reveal=true").await;
    slip(&other).await;
    settle(&world).await;
    let found = cases(&inspector, &world).await;
    assert_eq!((found.len(), &found[0]["evidence"]["accounts"]), (1, &json!(2)));
    assert_eq!(secretary.get("/v1/me/cases").await.expect(200).body["items"][0]["id"], found[0]["id"]);
}

#[actix_web::test]
async fn who_released_a_slip_after_a_look_is_looked_at_too() {
    let world = World::new().await;
    let (officer, second) = (world.organisation_officer().await, world.committee_officer().await);
    let inspector = world.officer(world.cell, Role::Inspector, world.ward).await;
    let secretary = person(&world, world.cell).await;
    world.grant(secretary.id, Role::CellSecretary, Some(world.cell)).await;
    second.get(&format!("/v1/members/{}?reveal=true", secretary.id)).await.expect(200);
    let path = format!("/v1/members/{}/activation-slips", secretary.id);
    let asked = officer.post(&path, &json!({})).await.expect(202).body;
    confirm(&second, &asked).await.expect(200);
    read_code(&second, &asked).await.expect(201);
    settle(&world).await;
    let found = cases(&inspector, &world).await;
    assert_eq!((found.len(), &found[0]["kind"]), (1, &json!("slip_after_reveal")));
    assert_eq!(second.get("/v1/me/cases").await.expect(200).body["items"][0]["id"], found[0]["id"]);
    assert_eq!(officer.get("/v1/me/cases").await.expect(200).body["items"], json!([]));
}

/// Visits at a time of the day on each of these days, counted from 20 November.
async fn visit_daily(world: &World, actor: &Actor, days: std::ops::Range<i64>, time: impl Fn(i64) -> String) {
    let first: chrono::NaiveDate = "2026-11-20".parse().unwrap();
    for day in days {
        let date = first + chrono::Duration::days(day);
        world.app.set_time(&format!("{date}T{}+07:00", time(day)));
        actor.post("/v1/me/visits", &json!({})).await.expect(200);
        while jobs::look_for_regularity(&world.app.state).await.unwrap() {}
    }
}

#[actix_web::test]
async fn thirty_days_of_perfect_regularity_open_a_case_and_cost_no_points() {
    let world = World::new().await;
    let (bot, inspector) = (world.member().await, world.inspector().await);
    visit_daily(&world, &bot, 0..29, |day| format!("06:00:0{}", day % 3)).await;
    assert_eq!(cases(&inspector, &world).await, Vec::<Value>::new());
    visit_daily(&world, &bot, 29..31, |_| "06:00:01".to_owned()).await;
    let found = cases(&inspector, &world).await;
    assert_eq!((found.len(), &found[0]["kind"]), (1, &json!("regularity")));
    let evidence = &found[0]["evidence"];
    assert_eq!((&evidence["rule"], &evidence["time_of_day"]), (&json!("daily_visit"), &json!("06:00:00")));
    assert_eq!(evidence["seconds_apart"], 2);
    // Eight visits count in each of the two months, as for any member.
    assert_eq!(points_everywhere(&world, &bot).await, 16);
    // An inspector finds the entries it is about, and the member can see that they were read.
    let entries = format!("/v1/members/{}/point-entries", bot.id);
    assert_eq!(inspector.get(&entries).await.expect(200).body["items"].as_array().unwrap().len(), 16);
    assert_eq!(world.audit_count("points.entries_listed").await, 1);
    let far = world.officer(world.other_cell, Role::Inspector, world.other_ward).await;
    far.get(&entries).await.expect(404);
    let path = format!("/v1/cases/{}/decision", found[0]["id"].as_str().unwrap());
    let decision = json!({"outcome": "referred", "reason": "Chi bộ trao đổi trực tiếp với đồng chí."});
    inspector.post(&path, &decision).await.expect(200);
    visit_daily(&world, &bot, 31..34, |_| "06:00:01".to_owned()).await;
    assert_eq!(cases(&inspector, &world).await.len(), 1, "the same days are not judged twice");
    assert_eq!(points_everywhere(&world, &bot).await, 16);
}

#[actix_web::test]
async fn a_look_that_a_day_was_too_short_for_goes_on_at_the_next() {
    let world = World::new().await;
    let (bot, inspector) = (world.member().await, world.inspector().await);
    visit_daily(&world, &bot, 0..29, |_| "06:00:01".to_owned()).await;
    // As many as a step takes, all before the others.
    let copies = format!(
        "WITH n AS (SELECT lpad(i::text, 32, '0')::uuid AS id FROM generate_series(1, 200) AS i),
            a AS (INSERT INTO accounts (id, kind, display_name, created_at)
                SELECT n.id, kind, display_name, created_at FROM n, accounts a WHERE a.id = '{0}')
         INSERT INTO members (id, full_name, birth_date, sex, admitted_on, citizen_id_sealed, created_at)
            SELECT n.id, full_name, birth_date, sex, admitted_on, citizen_id_sealed, created_at
            FROM n, members m WHERE m.id = '{0}'",
        bot.id
    );
    diesel::sql_query(copies).execute(&mut *world.app.state.db.conn().await.unwrap()).await.unwrap();
    world.app.set_time("2026-12-19T06:00:01+07:00");
    bot.post("/v1/me/visits", &json!({})).await.expect(200);
    assert!(jobs::look_for_regularity(&world.app.state).await.unwrap(), "the first step is not all");
    assert_eq!(cases(&inspector, &world).await, Vec::<Value>::new());
    world.app.set_time("2026-12-20T00:10:00+07:00");
    assert!(!jobs::look_for_regularity(&world.app.state).await.unwrap());
    assert_eq!(cases(&inspector, &world).await.len(), 1);
}

#[actix_web::test]
async fn a_punctual_person_is_no_case() {
    let world = World::new().await;
    let (person, inspector) = (world.member().await, world.inspector().await);
    visit_daily(&world, &person, 0..31, |day| format!("06:0{}:{:02}", day % 2, (day * 7) % 60)).await;
    assert_eq!(cases(&inspector, &world).await, Vec::<Value>::new());
}

#[actix_web::test]
async fn nobody_judges_a_case_of_their_own_and_others_do_not_see_it() {
    let world = World::new().await;
    let inspector = world.officer(world.cell, Role::Inspector, world.ward).await;
    visit_daily(&world, &inspector, 0..30, |_| "06:00:01".to_owned()).await;
    let found = cases(&inspector, &world).await;
    let one = format!("/v1/cases/{}", found[0]["id"].as_str().unwrap());
    let path = format!("{one}/decision");
    assert_eq!(called(&world, &inspector).await, 0, "it is not theirs to decide");
    let decision = json!({"outcome": "no_action", "reason": "Không có gì."});
    assert_eq!(inspector.post(&path, &decision).await.expect(403).code(), "forbidden");
    assert_eq!(inspector.get(&one).await.expect(200).body["case"]["state"], "open");
    let far = world.officer(world.other_cell, Role::Inspector, world.other_ward).await;
    for actor in [
        &world.member().await,
        &world.secretary().await,
        &world.committee_officer().await,
        &world.administrator().await,
        &far,
    ] {
        actor.get(&one).await.expect(404);
        actor.post(&path, &decision).await.expect(404);
    }
    let list = format!("/v1/cases?unit_id={}", world.ward);
    for (actor, status) in [(&world.secretary().await, 403), (&world.committee_officer().await, 403), (&far, 404)] {
        actor.get(&list).await.expect(status);
    }
    world.inspector().await.get("/v1/cases").await.expect(400);
    let open = world.inspector().await.get(&format!("{list}&state=decided")).await.expect(200);
    assert_eq!(open.body["items"], json!([]));
    world.inspector().await.post(&path, &decision).await.expect(200);
}
