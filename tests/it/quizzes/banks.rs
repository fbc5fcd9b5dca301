//! Banks: imports of files, exports, who may open them.

use serde_json::json;

use super::{aiken, bank, import};
use crate::support::World;

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/questions/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[actix_web::test]
async fn only_those_who_manage_quizzes_know_of_banks() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let id = bank(&world, &officer, 2).await;
    let (member, secretary) = (world.member().await, world.secretary().await);

    for actor in [&member, &secretary] {
        actor.get(&format!("/v1/question-banks/{id}/questions")).await.expect(404);
        actor.get(&format!("/v1/question-banks/{id}/export?format=gift")).await.expect(404);
        import(actor, &id, &aiken(0..1), true).await.expect(404);
        actor.post(&format!("/v1/units/{}/question-banks", world.ward), &json!({"title": "x"})).await.expect(403);
    }
    let list = officer.get(&format!("/v1/units/{}/question-banks", world.ward)).await.expect(200).body;
    assert_eq!(list["items"][0]["questions"], 2);
}

#[actix_web::test]
async fn a_dry_run_shows_the_questions_and_writes_nothing() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let id = bank(&world, &officer, 0).await;

    let shown = import(&officer, &id, &aiken(0..3), true).await.expect(200).body;
    let after = officer.get(&format!("/v1/question-banks/{id}/questions")).await.expect(200).body;

    assert_eq!((&shown["read"], &shown["added"]), (&json!(3), &json!(3)));
    assert_eq!(shown["questions"][0]["options"][1], json!({"text": "đúng 0", "correct": true}));
    assert_eq!(after["items"], json!([]));
}

#[actix_web::test]
async fn an_import_repeated_changes_nothing_and_another_key_makes_a_version() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let id = bank(&world, &officer, 3).await;

    let again = import(&officer, &id, &aiken(0..4), false).await.expect(200).body;
    let changed = import(&officer, &id, &aiken(0..1).replace("ANSWER: B", "ANSWER: A"), false).await.expect(200).body;
    let list = officer.get(&format!("/v1/question-banks/{id}/questions")).await.expect(200).body;

    assert_eq!((&again["added"], &again["unchanged"]), (&json!(1), &json!(3)));
    assert_eq!((&changed["added"], &changed["changed"]), (&json!(0), &json!(1)));
    assert_eq!(list["items"].as_array().unwrap().len(), 4);
    assert_eq!((&list["items"][0]["version"], &list["items"][0]["options"][0]["correct"]), (&json!(2), &json!(true)));
}

#[actix_web::test]
async fn a_faulty_file_brings_in_nothing_and_names_every_fault() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let id = bank(&world, &officer, 0).await;
    let path = format!("/v1/question-banks/{id}/imports?dry_run=false");

    let refused = officer.request("POST", &path).bytes(XLSX, fixture("answers-faulty.xlsx")).send().await.expect(422);
    let after = officer.get(&format!("/v1/question-banks/{id}/questions")).await.expect(200).body;

    assert_eq!((refused.code(), refused.body["errors"].as_array().unwrap().len()), ("questions_faulty", 7));
    assert_eq!(refused.body["errors"][0]["pointer"], "row 2, column \"Đáp án\"");
    assert_eq!(after["items"], json!([]));
}

#[actix_web::test]
async fn excel_and_word_files_come_in_by_their_type() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let id = bank(&world, &officer, 0).await;
    let path = format!("/v1/question-banks/{id}/imports?dry_run=false");

    let excel = officer.request("POST", &path).bytes(XLSX, fixture("bank.xlsx")).send().await.expect(200).body;
    let word = officer.request("POST", &path).bytes(DOCX, fixture("underlined.docx")).send().await.expect(200).body;
    let none = officer.request("POST", &path).bytes(XLSX, "no workbook").send().await.expect(422);
    let text = officer.request("POST", &path).bytes("text/plain", aiken(0..1)).send().await.expect(400);
    let image = officer.request("POST", &path).bytes("image/png", "x").send().await;

    assert_eq!((&excel["added"], &word["added"]), (&json!(12), &json!(3)));
    assert_eq!(none.code(), "file_unreadable");
    assert_eq!(text.body["errors"][0]["pointer"], "format");
    assert_eq!(image.status, 415);
}

#[actix_web::test]
async fn each_export_comes_back_without_a_difference() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let id = bank(&world, &officer, 0).await;
    let imports = format!("/v1/question-banks/{id}/imports?dry_run=false");
    officer.request("POST", &imports).bytes(XLSX, fixture("bank.xlsx")).send().await.expect(200);

    for (format, media_type) in
        [("gift", "text/plain"), ("aiken", "text/plain"), ("moodle-xml", "application/xml"), ("xlsx", XLSX)]
    {
        let path = format!("/v1/question-banks/{id}/export?format={format}");
        let file = officer.get(&path).await.expect(200).bytes;
        let back = officer.request("POST", &format!("{imports}&format={format}")).bytes(media_type, file).send().await;
        let back = back.expect(200).body;
        assert_eq!((&back["read"], &back["unchanged"]), (&json!(12), &json!(12)), "{format}: {back}");
    }
    assert_eq!(world.audit_count("questions.exported").await, 4);
}
