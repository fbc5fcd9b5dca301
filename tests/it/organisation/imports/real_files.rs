//! Files that people really have, over HTTP: what is stored, what is told, what is refused.

use serde_json::{Value, json};

use super::{AN, BINH, fixture, send, sheet, titled};
use crate::organisation::rows;
use crate::support::{Actor, Reply, World};

/// The fault file of that name, imported into the cell as a ward's officer does.
async fn brought_in(world: &World, officer: &Actor, name: &str) -> Reply {
    let file = std::fs::read(format!("tests/fixtures/faults/{name}.xlsx")).unwrap();
    send(officer, &format!("unit_id={}&dry_run=false", world.cell), file).await
}

/// Names in the cell that were imported, as the list shows them.
async fn names(world: &World, officer: &Actor) -> Vec<String> {
    let list = officer.get(&format!("/v1/units/{}/members?limit=200", world.cell)).await.expect(200);
    let mut names: Vec<String> =
        list.body["items"].as_array().unwrap().iter().map(|m| m["full_name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

fn codes(reply: &Reply, list: &str) -> Vec<String> {
    reply.body[list].as_array().unwrap().iter().map(|n| n["code"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn f01_to_f21_what_can_be_read_is_stored_right() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    for (name, stored, told) in [
        ("f01-split-name", 2, &[][..]),
        ("f02-two-sheets", 2, &["sheets_joined"]),
        ("f02b-committee-sheet-first", 2, &["sheet_not_read"]),
        ("f06-eth-apostrophe", 2, &[]),
        ("f07-combining-caps", 1, &[]),
        ("f08-subtotals", 3, &["row_ignored", "row_ignored"]),
        ("f09-utf16-customxml", 1, &[]),
        ("f10-long-sqref", 1, &[]),
        ("f11-as-of-words", 1, &["as_of_invalid"]),
        ("f12-invisible", 1, &[]),
        ("f19-other-cell", 2, &["other_cell_named"]),
    ] {
        let reply = brought_in(&world, &officer, name).await.expect(200);
        assert_eq!(
            (&reply.body["added"], codes(&reply, "notices")),
            (&json!(stored), told.to_vec().iter().map(|t| (*t).to_owned()).collect()),
            "{name}"
        );
    }
    let names = names(&world, &officer).await;
    for (name, times) in [
        ("Lò Thị Thử", 9),
        ("Hà Văn Nghiệm", 5),
        ("Lò Văn Mẫu", 1),
        ("Đỗ Văn Đại", 1),
        ("H'Hen Niê", 1),
        ("H'Riê̆ng Niê", 1),
    ] {
        assert_eq!(names.iter().filter(|n| *n == name).count(), times, "{name} in {names:?}");
    }
}

#[actix_web::test]
async fn f03_and_f05_what_would_be_stored_wrong_is_refused() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    let year = brought_in(&world, &officer, "f03-year-in-date-cell").await.expect(422);
    assert_eq!((year.code(), codes(&year, "errors")), ("roster_faulty", vec!["date_is_year".to_owned()]));
    let tcvn3 = brought_in(&world, &officer, "f05-tcvn3").await.expect(422);
    assert_eq!(codes(&tcvn3, "errors"), ["name_legacy_encoding", "name_legacy_encoding", "name_invalid"]);
    assert!(names(&world, &officer).await.is_empty());
    let by_hand = json!({"full_name": "NguyÔn V¨n An", "birth_date": "1905-05-06", "sex": "male",
        "admitted_on": "1929-05-06", "citizen_id": "038170000077"});
    let path = format!("/v1/units/{}/members", world.cell);
    let mut refused = codes(&officer.post(&path, &by_hand).await.expect(422), "errors");
    refused.sort();
    assert_eq!(refused, ["birth_date_implausible", "date_before_party", "name_legacy_encoding"]);
}

#[actix_web::test]
async fn f06_search_finds_every_spelling() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    brought_in(&world, &officer, "f06-eth-apostrophe").await.expect(200);
    brought_in(&world, &officer, "f12-invisible").await.expect(200);
    for (typed, name) in [
        ("Đỗ  Văn", "Đỗ Văn Đại"),
        ("ÐỖ VĂN ÐẠI", "Đỗ Văn Đại"),
        ("do van dai", "Đỗ Văn Đại"),
        ("Đỗ\u{200b} Văn", "Đỗ Văn Đại"),
        ("Do\u{302}\u{303} Va\u{306}n", "Đỗ Văn Đại"),
        ("Lò Thi\u{323}", "Lò Thị Thử"),
        ("h’hen", "H'Hen Niê"),
        ("H'HEN  nie", "H'Hen Niê"),
    ] {
        let typed: String = typed.bytes().map(|b| format!("%{b:02X}")).collect();
        let list = officer.get(&format!("/v1/units/{}/members?q={typed}", world.cell)).await.expect(200);
        assert_eq!(list.body["items"][0]["full_name"], name, "{typed}");
    }
}

#[actix_web::test]
async fn f10_each_limit_says_of_what() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    let mut book = rust_xlsxwriter::Workbook::new();
    book.add_worksheet().write_string(0, 200, "x").unwrap();
    let query = format!("unit_id={}", world.cell);
    let reply = send(&officer, &query, book.save_to_buffer().unwrap()).await.expect(413);
    assert_eq!(reply.body["detail"], "Bảng tính quá lớn: nhiều nhất 100 cột.");
}

#[actix_web::test]
async fn f19_the_same_cell_under_another_spelling_is_no_notice() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    let query = format!("unit_id={}", world.cell);
    for (title, told) in [
        ("CHI BỘ TDP SỐ 05, PHƯỜNG BÌNH MINH", json!([])),
        ("Danh sách Chi bộ Thôn Tám", json!(["other_cell_named"])),
        ("ĐẢNG BỘ PHƯỜNG HOÀNG HÔN", json!(["other_committee_named"])),
        ("ĐẢNG UỶ PHƯỜNG BÌNH MINH", json!([])),
    ] {
        let reply = send(&officer, &query, titled(title, &[AN])).await.expect(200);
        assert_eq!(json!(codes(&reply, "notices")), told, "{title}");
    }
}

#[actix_web::test]
async fn f20_a_dry_run_shows_the_rows_as_they_would_be_stored() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    let query = format!("unit_id={}&limit=100", world.cell);
    let first = send(&officer, &query, fixture("roster")).await.expect(200);
    let rows = first.body["rows"]["items"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[0]["full_name"], &rows[0]["row"]), (100, &json!("Đặng Minh Oanh"), &json!(8)));
    assert_eq!(
        rows[0],
        json!({"sheet": null, "row": 8, "outcome": "added", "full_name": "Đặng Minh Oanh", "birth_date": "1989-07-20",
            "sex": "female", "admitted_on": "2026-03-19", "official_on": null, "citizen_id": "********5951",
            "card_number": null, "phone": "******7356", "position": null, "exempt": false})
    );
    let cursor = first.body["rows"]["next_cursor"].as_str().unwrap();
    let second = send(&officer, &format!("{query}&cursor={cursor}"), fixture("roster")).await.expect(200);
    let rest = second.body["rows"]["items"].as_array().unwrap();
    assert_eq!((rest.len(), &rest[0]["row"], &second.body["rows"]["next_cursor"]), (35, &json!(108), &Value::Null));
    send(&officer, &format!("{query}&cursor=eHh4"), fixture("roster")).await.expect(400);

    let done = send(&officer, &format!("unit_id={}&dry_run=false", world.cell), sheet(&[AN])).await.expect(200);
    assert_eq!(done.body["rows"], Value::Null);
    let outcomes = send(&officer, &format!("unit_id={}", world.cell), sheet(&[AN, BINH])).await.expect(200);
    let outcomes: Vec<_> =
        outcomes.body["rows"]["items"].as_array().unwrap().iter().map(|row| row["outcome"].clone()).collect();
    assert_eq!(outcomes, ["unchanged", "added"]);
}

#[actix_web::test]
async fn f20_sheets_are_told_apart_in_faults_and_rows() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    let file = std::fs::read("tests/fixtures/faults/f02-two-sheets.xlsx").unwrap();
    send(&officer, &format!("unit_id={}&dry_run=false", world.sibling), file.clone()).await.expect(200);
    let reply = send(&officer, &format!("unit_id={}", world.cell), file.clone()).await.expect(422);
    assert_eq!(reply.body["errors"][1]["pointer"], "sheet \"Đảng viên dự bị\", row 2, column \"Số CCCD\"");
    let reply = send(&officer, &format!("unit_id={}", world.sibling), file).await.expect(200);
    assert_eq!(reply.body["sheets"], json!(["Đảng viên chính thức", "Đảng viên dự bị"]));
    assert_eq!(reply.body["rows"]["items"][1]["sheet"], "Đảng viên dự bị");
}

#[actix_web::test]
async fn f14_a_pdf_may_begin_after_a_byte_order_mark() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let body = json!({"symbol": "1-KH/ĐU", "kind": "ke_hoach", "title": "Kế hoạch", "text": "Một hai ba."});
    let id = officer.post(&format!("/v1/units/{}/documents", world.ward), &body).await.expect(201).id();
    let pdf = std::fs::read("tests/fixtures/faults/f14-bom.pdf").unwrap();
    let path = format!("/v1/documents/{id}/files?filename=a.pdf");
    officer.request("POST", &path).bytes("application/pdf", pdf).send().await.expect(201);
    let not = officer.request("POST", &path).bytes("application/pdf", vec![b' '; 2_000]).send().await;
    assert_eq!(not.expect(422).code(), "file_unreadable");
}

#[actix_web::test]
async fn f13_texts_of_one_line_are_stored_in_one_form() {
    let world = World::new().await;
    let (officer, propaganda) = (world.organisation_officer().await, world.propaganda_officer().await);
    let body = json!({"name": " Chi bộ\u{202e}\u{200b}  Ðội\n9 ", "kind": "cell", "parent_id": world.ward});
    let unit = officer.post("/v1/units", &body).await.expect(201);
    assert_eq!(unit.body["name"], "Chi bộ Đội 9");
    let nothing = json!({"name": "\u{200b}\u{202e}", "kind": "cell", "parent_id": world.ward});
    officer.post("/v1/units", &nothing).await.expect(400);
    let body = json!({"symbol": "98–KH/ÐU", "kind": "ke_hoach", "title": "Kế\u{200b} hoạch\nvề  H’Hen\u{202e}",
        "text": "Điều 1.\r\n\r\nÐiều 2.\u{200b} "});
    let document = propaganda.post(&format!("/v1/units/{}/documents", world.ward), &body).await.expect(201);
    assert_eq!(document.body["symbol"], "98-KH/ĐU");
    assert_eq!(document.body["symbol_parts"]["issuer"], "ĐU");
    assert_eq!(document.body["title"], "Kế hoạch về H'Hen");
    assert_eq!(document.body["text"], "Điều 1.\n\nĐiều 2.");
}

#[actix_web::test]
async fn f21_a_key_given_twice_is_refused() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    let body = format!(r#"{{"name": "Chi bộ 9", "kind": "cell", "parent_id": "{}", "name": "Chi bộ 10"}}"#, world.ward);
    let reply = officer.request("POST", "/v1/units").bytes("application/json", body).send().await.expect(400);
    assert_eq!(
        (&reply.body["errors"][0]["pointer"], &reply.body["errors"][0]["code"]),
        (&json!("/name"), &json!("repeated"))
    );
    assert_eq!(rows(&world.app, "SELECT id FROM units WHERE name LIKE 'Chi bộ 9%'").await, "[]");
}
