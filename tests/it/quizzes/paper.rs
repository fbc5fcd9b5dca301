//! Quizzes on paper: sheets, answers entered by one officer and confirmed by another.

use serde_json::{Value, json};
use sotay::kernel::security::access::Role;

use super::{published, start, submit};
use crate::support::{Actor, Reply, World, confirmed, points_everywhere};

/// A published quiz, and a member of the cell who has no device.
pub async fn without_device(world: &World) -> (String, Actor) {
    let (quiz, member) = (published(world, json!({})).await, world.member().await);
    let mark = format!("UPDATE members SET without_device = true WHERE id = '{}'", member.id);
    let mut conn = world.app.state.db.conn().await.unwrap();
    diesel_async::RunQueryDsl::execute(diesel::sql_query(mark), &mut *conn).await.unwrap();
    (quiz, member)
}

async fn make(officer: &Actor, world: &World, quiz: &str, member: &Actor) -> Reply {
    let body = json!({"quiz_id": quiz, "member_ids": [member.id]});
    officer.post(&format!("/v1/units/{}/paper-sheets", world.cell), &body).await
}

/// The sheet of a member without a device.
pub async fn sheet(world: &World, officer: &Actor) -> Value {
    let (quiz, member) = without_device(world).await;
    make(officer, world, &quiz, &member).await.expect(201).body["items"][0].clone()
}

/// The letters that the key names, of the first `right` questions.
fn ticked(sheet: &Value, right: usize) -> Value {
    let letter = |question: &Value, text: &str| {
        let options = question["options"].as_array().unwrap();
        options.iter().find(|option| option["text"].as_str().unwrap().starts_with(text)).unwrap()["letter"].clone()
    };
    let answer = |(index, question): (usize, &Value)| {
        let text = if index < right { "đúng" } else { "sai" };
        json!({"question": question["number"], "options": [letter(question, text)]})
    };
    let questions = sheet["questions"].as_array().unwrap();
    json!({"answers": questions.iter().enumerate().map(answer).collect::<Vec<_>>()})
}

async fn enter(officer: &Actor, sheet: &Value, body: &Value) -> Reply {
    officer.post(&format!("/v1/paper-sheets/{}/answers", sheet["code"].as_str().unwrap()), body).await
}

#[actix_web::test]
async fn what_two_officers_enter_is_graded_and_paid_as_assisted() {
    let world = World::new().await;
    let (secretary, second) = (world.secretary().await, world.committee_officer().await);
    let (quiz, member) = without_device(&world).await;
    let sheet = make(&secretary, &world, &quiz, &member).await.expect(201).body["items"][0].clone();
    let again = make(&secretary, &world, &quiz, &member).await.expect(201).body["items"][0].clone();

    let proposed = enter(&secretary, &sheet, &ticked(&sheet, 4)).await;
    let before = points_everywhere(&world, &member).await;
    let alone = secretary.post(&format!("/v1/decisions/{}/confirmation", proposed.id()), &json!({})).await;
    confirmed(&second, proposed).await;

    assert_eq!((&again["code"], before, alone.status), (&sheet["code"], 0, 403));
    assert_eq!(points_everywhere(&world, &member).await, 5);
    let attempt = member.get(&format!("/v1/attempts/{}", sheet["attempt_id"].as_str().unwrap())).await.expect(200).body;
    assert_eq!((&attempt["receipt"]["assisted"], &attempt["receipt"]["score"]), (&json!(true), &json!(4)));
    let results = secretary.get(&format!("/v1/quizzes/{quiz}/results?unit_id={}", world.cell)).await.expect(200).body;
    assert!(results["items"].as_array().unwrap().iter().any(|item| item["assisted"] == true && item["percent"] == 80));
    let twice = enter(&secretary, &sheet, &ticked(&sheet, 5)).await;
    assert_eq!((twice.status, twice.code()), (409, "attempt_over"));
    let mut conn = world.app.state.db.conn().await.unwrap();
    assert_eq!(sotay::quizzes::verify(&mut conn).await.unwrap(), 0);
}

#[actix_web::test]
async fn a_sheet_shows_no_key_and_takes_what_it_has() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let sheet = sheet(&world, &secretary).await;

    let path = format!("/v1/units/{}/paper-sheets.xlsx?quiz_id={}", world.cell, sheet["quiz_id"].as_str().unwrap());
    let printed = secretary.get(&path).await.expect(200);
    let mut book: calamine::Xlsx<_> = calamine::Reader::new(std::io::Cursor::new(printed.bytes)).unwrap();
    let range = calamine::Reader::worksheet_range_at(&mut book, 0).unwrap().unwrap();
    assert!(range.cells().any(|(_, _, cell)| *cell == *sheet["code"].as_str().unwrap()));
    for word in ["correct", "explanation", "right"] {
        assert!(!sheet.to_string().contains(word), "{word}: {sheet}");
    }
    let wrong = json!({"answers": [{"question": 1, "options": ["J"]}, {"question": 9, "options": ["A"]}]});
    let refused = enter(&secretary, &sheet, &wrong).await;
    assert_eq!((refused.status, refused.body["errors"].as_array().unwrap().len()), (422, 2));
    let path = format!("/v1/paper-sheets/{}/answers", "ZZZZZZZZ");
    secretary.post(&path, &ticked(&sheet, 5)).await.expect(404);
    world
        .officer(world.sibling, Role::CellSecretary, world.sibling)
        .await
        .post(&path, &ticked(&sheet, 5))
        .await
        .expect(404);
}

#[actix_web::test]
async fn who_has_a_device_or_saw_the_key_is_refused() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let (quiz, member) = without_device(&world).await;
    let with_device = world.member().await;
    let refused = make(&secretary, &world, &quiz, &with_device).await;
    let sheet = make(&secretary, &world, &quiz, &member).await.expect(201).body["items"][0].clone();
    world.grant(secretary.id, Role::PropagandaOfficer, Some(world.ward)).await;
    secretary.get(&format!("/v1/quizzes/{quiz}/analysis")).await.expect(200);

    let entered = enter(&secretary, &sheet, &ticked(&sheet, 5)).await;

    assert_eq!((refused.status, &refused.body["errors"][0]["pointer"]), (422, &json!("/member_ids/0")));
    assert_eq!((entered.status, entered.code()), (403, "own_interest"));
    assert_eq!(points_everywhere(&world, &member).await, 0);
}

#[actix_web::test]
async fn answers_that_wait_outlive_the_window_and_count_at_its_end() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let (quiz, member) = without_device(&world).await;
    let sheet = make(&secretary, &world, &quiz, &member).await.expect(201).body["items"][0].clone();
    let proposed = enter(&secretary, &sheet, &ticked(&sheet, 5)).await;
    world.app.set_time("2026-11-22T05:00:00Z");
    let state = &world.app.state;
    sotay::quizzes::grade_due(&state.work, state.clock.now()).await.unwrap();

    confirmed(&world.committee_officer().await, proposed).await;

    assert_eq!(points_everywhere(&world, &member).await, 6);
    let entries = member.get("/v1/me/points/entries").await.expect(200).body;
    assert_eq!(entries["items"][0]["day"], "2026-11-21");
    let late = enter(&secretary, &sheet, &ticked(&sheet, 5)).await;
    assert_eq!(late.code(), "attempt_over");
}

#[actix_web::test]
async fn a_sheet_that_nobody_enters_counts_as_used() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let (quiz, member) = without_device(&world).await;
    let sheet = make(&secretary, &world, &quiz, &member).await.expect(201).body["items"][0].clone();

    let resumed = start(&member, &quiz).await.expect(200).body;
    world.app.set_time("2026-11-22T05:00:00Z");
    let ended = submit(&member, sheet["attempt_id"].as_str().unwrap()).await.expect(200).body;

    assert_eq!((&resumed["id"], &ended["score"], &ended["expired"]), (&sheet["attempt_id"], &json!(0), &json!(true)));
}
