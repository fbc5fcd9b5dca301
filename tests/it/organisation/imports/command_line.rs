//! `sotay import`.

use secrecy::ExposeSecret;
use sotay::cli::import::import_file;

use super::AN;
use crate::organisation::contents;
use crate::support::World;

#[actix_web::test]
async fn the_command_line_imports_by_name() {
    let world = World::new().await;
    let state = &world.app.state;
    let path = std::path::Path::new("tests/fixtures/roster.xlsx");
    let before = contents(&world.app).await;
    let dry = import_file(state, path, "chi bộ tổ dân phố số 5", false).await.unwrap();
    assert_eq!((dry.added, dry.dry_run), (135, true));
    assert_eq!(contents(&world.app).await, before);
    let done = import_file(state, path, &world.cell.to_string(), true).await.unwrap();
    assert_eq!((done.added, done.exempted, done.granted), (135, 54, 5));
    let again = import_file(state, path, &world.cell.to_string(), true).await.unwrap();
    assert_eq!((again.added, again.changed_total, again.unchanged), (0, 0, 135));
    let faulty = std::path::Path::new("tests/fixtures/roster-faulty.xlsx");
    let error = import_file(state, faulty, &world.cell.to_string(), true).await.unwrap_err();
    assert_eq!(error.lines().count(), 15);
    assert!(error.contains("Dòng 13, cột \"Chức vụ\": có 2 bí thư"), "{error}");
    let unknown = import_file(state, path, "Chi bộ %", true).await.unwrap_err();
    assert!(unknown.contains("không có tổ chức"), "{unknown}");
}

#[actix_web::test]
async fn the_program_prints_every_fault_and_fails() {
    let world = World::new().await;
    let config = &world.app.state.config;
    let before = contents(&world.app).await;
    let url = config.database_url.as_ref().unwrap().expose_secret();
    let run = |file: &str| {
        std::process::Command::new(env!("CARGO_BIN_EXE_sotay"))
            .args(["import", file, "--commit", "--unit", &world.cell.to_string()])
            .env("SOTAY_DATABASE_URL", url)
            .env("SOTAY_DATA_DIR", world.app.folder())
            .env("SOTAY_MASTER_KEY", config.master_key.as_ref().unwrap().expose_secret())
            .env_remove("SOTAY_DATABASE_OWNER_URL")
            .env_remove("DATABASE_URL")
            .output()
            .unwrap()
    };
    let output = run("tests/fixtures/roster-faulty.xlsx");
    let printed = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{printed}");
    assert!(printed.contains("lỗi; chưa nhập gì"), "{printed}");
    assert!(printed.contains("Dòng 5, cột \"Số CCCD\": số CCCD phải có đúng 12 chữ số"), "{printed}");
    assert_eq!(run("tests/fixtures/none.xlsx").status.code(), Some(1));
    assert_eq!(contents(&world.app).await, before);
}

/// A twentieth of a province: more than one statement holds of everything, so that the batches are tried too.
#[actix_web::test]
async fn a_long_roster_is_imported_whole_and_once() {
    const MEMBERS: u32 = 5_430;
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
        let (card, citizen, phone) = (format!("{:012}", 38_000_000 + n), format!("0381{n:08}"), format!("09{n:08}"));
        let exempt = if n % 5 == 0 { "x" } else { "" };
        let cells = [AN[0], AN[1], AN[2], &card, &citizen, &phone, AN[6], AN[7], exempt];
        for (column, cell) in (0..).zip(cells) {
            sheet.write_string(n + 1, column, cell).unwrap();
        }
    }
    let path = world.app.folder().join("long.xlsx");
    book.save(&path).unwrap();
    let cell = world.cell.to_string();
    for (added, unchanged) in [(MEMBERS, 0), (0, MEMBERS)] {
        let report = import_file(&world.app.state, &path, &cell, true).await.unwrap();
        assert_eq!((report.added, report.unchanged), (added as usize, unchanged as usize));
    }
}
