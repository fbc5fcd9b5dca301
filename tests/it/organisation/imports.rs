//! Importing rosters over HTTP and from the command line.

use serde_json::{Value, json};
use sotay::cli::import::import_file;
use sotay::kernel::access::Role;

use super::{contents, count, rows};
use crate::support::{Actor, Reply, World};

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("tests/fixtures/{name}.xlsx")).unwrap()
}

async fn send(actor: &Actor, query: &str, file: Vec<u8>) -> Reply {
    let path = format!("/v1/imports?{query}");
    actor.request("POST", &path).bytes(XLSX, file).send().await
}

async fn import(actor: &Actor, world: &World, dry_run: bool, file: Vec<u8>) -> Reply {
    let query = format!("unit_id={}&dry_run={dry_run}", world.cell);
    send(actor, &query, file).await
}

/// One sheet with the usual columns.
fn sheet(rows: &[[&str; 10]]) -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    let headings = [
        "Họ và tên",
        "Ngày sinh",
        "Giới tính",
        "Số thẻ đảng viên",
        "Số CCCD",
        "Điện thoại",
        "Ngày vào Đảng (dự bị)",
        "Ngày chính thức",
        "Chức vụ",
        "Miễn sinh hoạt",
    ];
    for (column, heading) in (0..).zip(headings) {
        sheet.write_string(0, column, heading).unwrap();
    }
    for (row, cells) in (1..).zip(rows) {
        for (column, cell) in (0..).zip(cells) {
            sheet.write_string(row, column, *cell).unwrap();
        }
    }
    book.save_to_buffer().unwrap()
}

const AN: [&str; 10] = [
    "Đỗ Văn An",
    "01/02/1970",
    "Nam",
    "038000000001",
    "038170000001",
    "0909000001",
    "03/02/1995",
    "03/02/1996",
    "",
    "",
];
const BINH: [&str; 10] = [
    "Đỗ Thị Bình",
    "05/06/1972",
    "Nữ",
    "038000000002",
    "038170000002",
    "0909000001",
    "03/02/1999",
    "03/02/2000",
    "",
    "x",
];

fn with(row: [&'static str; 10], column: usize, value: &'static str) -> [&'static str; 10] {
    let mut row = row;
    row[column] = value;
    row
}

fn imported(world: &World) -> String {
    format!(
        "memberships WHERE origin = 'imported' AND unit_id = '{}'",
        world.cell
    )
}

#[actix_web::test]
async fn officer_imports_the_sample_once_and_again_without_a_difference() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    let before = contents(&world.app).await;
    let dry = import(&officer, &world, true, fixture("roster"))
        .await
        .expect(200);
    assert_eq!(
        contents(&world.app).await,
        before,
        "a dry run writes nothing"
    );
    assert_eq!(
        (&dry.body["dry_run"], &dry.body["added"]),
        (&json!(true), &json!(135))
    );

    let done = import(&officer, &world, false, fixture("roster"))
        .await
        .expect(200);
    let body = &done.body;
    assert_eq!(body["as_of"], "2026-11-01");
    assert_eq!(body["unit"]["id"], world.cell.to_string());
    assert_eq!(
        body["counts"],
        json!({"members": 135, "official": 134, "probationary": 1, "exempt": 54})
    );
    assert_eq!(
        body["positions"],
        json!({"secretary": 1, "deputy": 1, "committee_members": 3})
    );
    assert_eq!((&body["added"], &body["granted"]), (&json!(135), &json!(5)));
    assert_eq!(body["ignored_columns"], json!(["Ghi chú"]));
    let on_day = format!(
        "{} AND valid_from = '2026-11-01' AND valid_to IS NULL",
        imported(&world)
    );
    assert_eq!(count(&world.app, &on_day).await, 135);
    let exempt =
        "exemptions WHERE kind = 'exempt' AND valid_from = '2026-11-01' AND valid_to IS NULL";
    assert_eq!(count(&world.app, exempt).await, 54);
    let roles = format!(
        "SELECT role, count(*) AS n FROM grants WHERE unit_id = '{}' AND valid_from = '2026-11-01' GROUP BY 1 ORDER BY 1",
        world.cell
    );
    let roles: Value = serde_json::from_str(&rows(&world.app, &roles).await).unwrap();
    assert_eq!(
        roles,
        json!([{"role": "cell_committee_member", "n": 3}, {"role": "cell_secretary", "n": 1}, {"role": "deputy_secretary", "n": 1}])
    );

    let after = contents(&world.app).await;
    let again = import(&officer, &world, false, fixture("roster"))
        .await
        .expect(200);
    assert_eq!(
        (&again.body["added"], &again.body["changed"]),
        (&json!(0), &json!([]))
    );
    assert_eq!(
        (&again.body["unchanged"], &again.body["granted"]),
        (&json!(135), &json!(0))
    );
    let later = contents(&world.app).await;
    // Only the audit log, which is last, tells that somebody did it again.
    assert_eq!(later[..8], after[..8]);
    assert_eq!(
        count(&world.app, "audit_events WHERE action = 'roster.imported'").await,
        2
    );
}

#[actix_web::test]
async fn a_faulty_roster_is_refused_with_every_fault() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    let before = contents(&world.app).await;
    let reply = import(&officer, &world, false, fixture("roster-faulty"))
        .await
        .expect(422);
    assert_eq!(reply.code(), "roster_faulty");
    let errors = reply.body["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 14);
    assert_eq!(errors[3]["pointer"], "row 5, column \"Số CCCD\"");
    assert_eq!(errors[3]["code"], "citizen_id_invalid");
    let detail = errors[3]["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("Dòng 5, cột \"Số CCCD\": số CCCD phải có đúng 12 chữ số"),
        "{detail}"
    );
    assert_eq!(contents(&world.app).await, before);
}

#[actix_web::test]
async fn who_may_import() {
    let world = World::new().await;
    let file = || sheet(&[AN]);
    let before = count(&world.app, "members").await;
    let sibling = world
        .officer(world.sibling, Role::CellSecretary, world.sibling)
        .await;
    for (actor, status) in [
        (world.member().await, 403),
        (world.outsider().await, 404),
        (sibling, 404),
        (world.committee_officer().await, 403),
        (world.inspector().await, 403),
        (world.propaganda_officer().await, 403),
    ] {
        import(&actor, &world, false, file()).await.expect(status);
    }
    let anonymous = world
        .app
        .request("POST", &format!("/v1/imports?unit_id={}", world.cell));
    assert_eq!(anonymous.bytes(XLSX, file()).send().await.status, 401);
    assert_eq!(count(&world.app, "members").await, before + 6);
    for actor in [world.secretary().await, world.administrator().await] {
        import(&actor, &world, true, file()).await.expect(200);
    }
}

#[actix_web::test]
async fn secretary_only_proposes_positions() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let grants = count(&world.app, "grants").await;
    let reply = import(&secretary, &world, false, fixture("roster"))
        .await
        .expect(200);
    assert_eq!(
        (&reply.body["added"], &reply.body["granted"]),
        (&json!(135), &json!(0))
    );
    let proposals = reply.body["proposals"].as_array().unwrap();
    assert_eq!(proposals.len(), 5);
    assert!(
        proposals
            .iter()
            .any(|p| p["what"] == "cell_secretary" && p["because"] == "held_by_another")
    );
    assert!(
        proposals
            .iter()
            .any(|p| p["what"] == "deputy_secretary" && p["because"] == "not_allowed")
    );
    assert_eq!(count(&world.app, "grants").await, grants);
    // The member who is in the cell and not in the sheet stays, and is named.
    assert_eq!(
        reply.body["missing_from_sheet"][0]["id"],
        secretary.id.to_string()
    );
    secretary.get("/v1/units").await.expect(200);
}

#[actix_web::test]
async fn officer_cannot_import_a_second_secretary() {
    let world = World::new().await;
    world.secretary().await;
    let officer = world.organisation_officer().await;
    let file = sheet(&[AN, with(BINH, 8, "Bí thư")]);
    let before = contents(&world.app).await;
    let reply = import(&officer, &world, false, file).await.expect(422);
    assert_eq!(reply.body["errors"][0]["code"], "secretary_conflict");
    assert_eq!(
        reply.body["errors"][0]["pointer"],
        "row 3, column \"Chức vụ\""
    );
    let two = sheet(&[with(AN, 8, "Bí thư"), with(BINH, 8, "Bí thư")]);
    let reply = import(&officer, &world, false, two).await.expect(422);
    assert_eq!(reply.body["errors"].as_array().unwrap().len(), 2);
    assert_eq!(contents(&world.app).await, before);
}

#[actix_web::test]
async fn changes_are_made_and_named_and_nothing_is_taken_away() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    import(&officer, &world, false, sheet(&[AN, BINH]))
        .await
        .expect(200);
    let people = rows(
        &world.app,
        "SELECT id, full_name FROM members ORDER BY no DESC LIMIT 2",
    )
    .await;
    let people: Value = serde_json::from_str(&people).unwrap();
    let binh = people
        .as_array()
        .unwrap()
        .iter()
        .find(|p| p["full_name"] == "Đỗ Thị Bình")
        .unwrap();
    // A shared phone is a handle of both.
    assert_eq!(
        count(&world.app, "sign_in_handles WHERE kind = 'phone'").await,
        2
    );

    // A new phone and name, recognised by citizen ID; an exemption not marked any more; a card number left empty.
    let changed = with(
        with(
            with(with(BINH, 5, "0911222333"), 0, "Đỗ Thị Thanh Bình"),
            9,
            "",
        ),
        3,
        "",
    );
    let reply = import(&officer, &world, false, sheet(&[changed]))
        .await
        .expect(200);
    assert_eq!(
        reply.body["changed"],
        json!([{"row": 2, "fields": ["full_name", "phone"]}])
    );
    assert_eq!(
        reply.body["left_empty"],
        json!([{"row": 2, "fields": ["card_number"]}])
    );
    assert_eq!(reply.body["exempt_unmarked"], json!([2]));
    assert_eq!(
        (&reply.body["missing_total"], &reply.body["added"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(count(&world.app, &imported(&world)).await, 2);
    assert_eq!(
        count(&world.app, "exemptions WHERE valid_to IS NULL").await,
        1
    );
    let name = rows(
        &world.app,
        &format!(
            "SELECT display_name FROM accounts WHERE id = '{}'",
            binh["id"].as_str().unwrap()
        ),
    )
    .await;
    assert_eq!(name, r#"[{"display_name": "Đỗ Thị Thanh Bình"}]"#);

    // A new citizen ID, recognised by card number and birthday.
    let renumbered = with(BINH, 4, "038170000009");
    let reply = import(&officer, &world, false, sheet(&[renumbered]))
        .await
        .expect(200);
    assert_eq!(
        reply.body["changed"][0]["fields"],
        json!(["full_name", "citizen_id", "phone"])
    );
    // The same card with another birthday is not the same person.
    let other = with(with(BINH, 4, "038170000077"), 1, "05/06/1973");
    let reply = import(&officer, &world, false, sheet(&[other]))
        .await
        .expect(422);
    assert_eq!(reply.body["errors"][0]["code"], "card_number_taken");
}

#[actix_web::test]
async fn a_member_of_another_cell_needs_a_transfer() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    let elsewhere = format!("unit_id={}&dry_run=false", world.sibling);
    send(&officer, &elsewhere, sheet(&[AN])).await.expect(200);
    let before = contents(&world.app).await;
    let secretary = world
        .officer(world.cell, Role::CellSecretary, world.cell)
        .await;
    let members = count(&world.app, "members").await;
    for file in [
        sheet(&[BINH, AN]),
        sheet(&[BINH, with(AN, 4, "038170000099")]),
    ] {
        let reply = import(&secretary, &world, false, file).await.expect(422);
        let errors = reply.body["errors"].as_array().unwrap();
        assert_eq!(
            (errors.len(), &errors[0]["code"]),
            (1, &json!("member_of_another_cell"))
        );
        let text = String::from_utf8(reply.bytes).unwrap();
        assert!(
            !text.contains("Đỗ Văn An") && !text.contains("03817") && !text.contains("số 6"),
            "{text}"
        );
    }
    assert_eq!(count(&world.app, "members").await, members);
    assert_eq!(
        contents(&world.app).await[2].matches("imported").count(),
        before[2].matches("imported").count()
    );
}

#[actix_web::test]
async fn files_that_are_no_rosters_are_refused() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    let before = contents(&world.app).await;
    let reply = import(&officer, &world, false, b"PK nothing".to_vec())
        .await
        .expect(422);
    assert_eq!(reply.code(), "file_unreadable");
    let reply = import(&officer, &world, false, vec![0; (20 << 20) + 1])
        .await
        .expect(413);
    assert_eq!(reply.code(), "too_large");
    let path = format!("/v1/imports?unit_id={}", world.cell);
    let csv = officer
        .request("POST", &path)
        .bytes("text/csv", "a,b")
        .send()
        .await;
    assert_eq!((csv.status, csv.code()), (415, "unsupported_media_type"));
    send(&officer, "dry_run=false", sheet(&[AN]))
        .await
        .expect(400);
    send(
        &officer,
        &format!("unit_id={}&force=true", world.cell),
        sheet(&[AN]),
    )
    .await
    .expect(400);
    let ward = format!("unit_id={}", world.ward);
    let reply = send(&officer, &ward, sheet(&[AN])).await.expect(422);
    assert_eq!(reply.code(), "rule_not_met");
    assert_eq!(contents(&world.app).await, before);
}

#[actix_web::test]
async fn a_dry_run_is_the_default_and_a_key_does_not_mix_it_up_with_the_real_thing() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    let keyed = async |query: &str| {
        let path = format!("/v1/imports?unit_id={}{query}", world.cell);
        let request = officer
            .request("POST", &path)
            .header("Idempotency-Key", "k1");
        request.bytes(XLSX, sheet(&[AN])).send().await.expect(200)
    };
    assert_eq!(keyed("").await.body["dry_run"], true);
    assert_eq!(count(&world.app, &imported(&world)).await, 0);
    let done = keyed("&dry_run=false").await;
    let replayed = keyed("&dry_run=false").await;
    assert_eq!(replayed.header("idempotency-replayed"), "true");
    assert_eq!(
        (&done.body["added"], &replayed.body["added"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(count(&world.app, &imported(&world)).await, 1);
}

#[actix_web::test]
async fn nobody_exempts_or_promotes_themselves_with_a_sheet() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    import(&officer, &world, false, sheet(&[AN]))
        .await
        .expect(200);
    let id = rows(
        &world.app,
        "SELECT id FROM members WHERE full_name = 'Đỗ Văn An'",
    )
    .await;
    let id: Value = serde_json::from_str(&id).unwrap();
    let id = id[0]["id"].as_str().unwrap().parse().unwrap();
    world
        .grant(id, Role::OrganisationOfficer, Some(world.ward))
        .await;
    let an = world.sign_in(id).await;
    let file = sheet(&[with(with(AN, 8, "Bí thư"), 9, "x")]);
    let reply = import(&an, &world, false, file).await.expect(200);
    assert_eq!(
        reply.body["proposals"],
        json!([
        {"row": 2, "what": "exempt", "because": "own_record"},
        {"row": 2, "what": "cell_secretary", "because": "own_record"}])
    );
    assert_eq!(count(&world.app, "exemptions").await, 0);
    assert_eq!(
        count(&world.app, "grants WHERE role = 'cell_secretary'").await,
        0
    );
}

#[actix_web::test]
async fn ten_imports_at_once_add_everybody_once() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    let all = (0..10).map(|_| import(&officer, &world, false, sheet(&[AN, BINH])));
    let replies = futures_util::future::join_all(all).await;
    let added: i64 = replies
        .iter()
        .map(|r| r.body["added"].as_i64().expect("200"))
        .sum();
    assert_eq!(added, 2);
    assert_eq!(count(&world.app, &imported(&world)).await, 2);
    assert_eq!(count(&world.app, "exemptions").await, 1);
}

#[actix_web::test]
async fn the_command_line_imports_by_name() {
    let world = World::new().await;
    let state = &world.app.state;
    let path = std::path::Path::new("tests/fixtures/roster.xlsx");
    let before = contents(&world.app).await;
    let dry = import_file(state, path, "chi bộ tổ dân phố số 5", false)
        .await
        .unwrap();
    assert_eq!((dry.added, dry.dry_run), (135, true));
    assert_eq!(contents(&world.app).await, before);
    let done = import_file(state, path, &world.cell.to_string(), true)
        .await
        .unwrap();
    assert_eq!((done.added, done.exempted, done.granted), (135, 54, 5));
    let again = import_file(state, path, &world.cell.to_string(), true)
        .await
        .unwrap();
    assert_eq!(
        (again.added, again.changed_total, again.unchanged),
        (0, 0, 135)
    );
    let faulty = std::path::Path::new("tests/fixtures/roster-faulty.xlsx");
    let error = import_file(state, faulty, &world.cell.to_string(), true)
        .await
        .unwrap_err();
    assert_eq!(error.lines().count(), 15);
    assert!(
        error.contains("Dòng 13, cột \"Chức vụ\": có 2 bí thư"),
        "{error}"
    );
    let unknown = import_file(state, path, "Chi bộ %", true)
        .await
        .unwrap_err();
    assert!(unknown.contains("không có tổ chức"), "{unknown}");
}

/// Run it optimised: `cargo test --release --test it a_province -- --ignored --nocapture`.
#[actix_web::test]
#[ignore = "takes a minute when not optimised"]
async fn a_province_is_imported_within_a_minute() {
    const MEMBERS: u32 = 108_600;
    let world = World::new().await;
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    let headings = [
        "Họ và tên",
        "Ngày sinh",
        "Giới tính",
        "Số thẻ đảng viên",
        "Số CCCD",
        "Điện thoại",
        "Ngày vào Đảng (dự bị)",
        "Ngày chính thức",
        "Miễn sinh hoạt",
    ];
    for (column, heading) in (0..).zip(headings) {
        sheet.write_string(0, column, heading).unwrap();
    }
    for n in 0..MEMBERS {
        let (card, citizen, phone) = (
            format!("{:012}", 38_000_000 + n),
            format!("0381{n:08}"),
            format!("09{n:08}"),
        );
        let exempt = if n % 5 == 0 { "x" } else { "" };
        let cells = [
            AN[0], AN[1], AN[2], &card, &citizen, &phone, AN[6], AN[7], exempt,
        ];
        for (column, cell) in (0..).zip(cells) {
            sheet.write_string(n + 1, column, cell).unwrap();
        }
    }
    let path = world.app.folder().join("province.xlsx");
    book.save(&path).unwrap();
    let cell = world.cell.to_string();
    for (added, unchanged) in [(MEMBERS, 0), (0, MEMBERS)] {
        let started = std::time::Instant::now();
        let report = import_file(&world.app.state, &path, &cell, true)
            .await
            .unwrap();
        println!("added {added}: {:?}", started.elapsed());
        assert_eq!(
            (report.added, report.unchanged),
            (added as usize, unchanged as usize)
        );
        assert!(started.elapsed().as_secs() < 60 || cfg!(debug_assertions));
    }
}
