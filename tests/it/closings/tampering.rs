//! Exported reports verified offline by the program itself; every change is found and named.

use std::path::PathBuf;
use std::process::Output;

use serde_json::{Value, json};
use sotay::kernel::security::access::Role;

use super::{IN_TIME, close, closings};
use crate::support::{TestApp, World};

/// A closed month, its report and the published keys as files.
struct Case {
    world: World,
    report: Value,
    keys: PathBuf,
}

fn verify(app: &TestApp, name: &str, text: &str, with: &[&str]) -> Output {
    let path = app.folder().join(name);
    std::fs::write(&path, text).unwrap();
    std::process::Command::new(env!("CARGO_BIN_EXE_sotay"))
        .arg("verify-report")
        .arg(path)
        .args(with)
        .env_clear()
        .output()
        .unwrap()
}

fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

impl Case {
    async fn new() -> Self {
        let world = World::new().await;
        let secretary = world.secretary().await;
        let member = world.member().await;
        world.credit(member.id).await;
        world.app.set_time(IN_TIME);
        close(&secretary, world.cell).await.expect(200);
        let exported = secretary.get(&format!("{}/2026-11/export.json", closings(world.cell))).await.expect(200);
        assert!(exported.header("content-disposition").contains("chot-2026-11.json"));
        let keys = world.app.get("/.well-known/report-keys.json").await.expect(200);
        let path = world.app.folder().join("report-keys.json");
        std::fs::write(&path, keys.bytes).unwrap();
        Self { world, report: exported.body, keys: path }
    }

    fn verify(&self, text: &str) -> Output {
        verify(&self.world.app, "report.json", text, &["--key", self.keys.to_str().unwrap()])
    }

    /// Changed so, the report fails with these words.
    #[track_caller]
    fn fails(&self, change: impl Fn(&mut Value), words: &str) {
        let mut report = self.report.clone();
        change(&mut report);
        let output = self.verify(&report.to_string());
        let printed = printed(&output);
        assert_eq!(output.status.code(), Some(1), "{printed}");
        assert!(printed.contains(words), "{printed}");
    }
}

#[actix_web::test]
async fn a_report_as_exported_is_verified() {
    let case = Case::new().await;
    for text in [case.report.to_string(), serde_json::to_string_pretty(&case.report).unwrap()] {
        let output = case.verify(&text);
        assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
        assert!(printed(&output).contains("Chi bộ Tổ dân phố số 5, tháng 2026-11, lần chốt 1: 2 dòng, chữ ký đúng"));
    }
    let text = case.report.to_string();
    let without = verify(&case.world.app, "report.json", &text, &[]);
    assert_eq!(without.status.code(), Some(2), "a key is needed");
    let embedded = verify(&case.world.app, "report.json", &text, &["--embedded-key"]);
    assert_eq!(embedded.status.code(), Some(0));
    assert!(printed(&embedded).contains("CẢNH BÁO"));
}

#[actix_web::test]
async fn the_row_that_was_changed_is_named() {
    let case = Case::new().await;
    let name = case.report["rows"][0]["full_name"].as_str().unwrap().to_owned();
    let named = format!("dòng 1 ({name}) đã bị sửa");
    case.fails(|report| report["rows"][0]["points"] = json!(9), &named);
    case.fails(|report| report["rows"][0]["threshold"] = json!(8), &named);
    case.fails(|report| report["rows"][0]["by_rule"][0]["points"] = json!(30), &named);
    case.fails(|report| report["rows"][0]["points"] = json!("tám"), &named);
    case.fails(|report| report["rows"][0]["surplus"] = json!(1), &named);
    case.fails(|report| report["rows"][0]["full_name"] = json!("Nguyễn Văn Ân"), "dòng 1 (Nguyễn Văn Ân) đã bị sửa");
    case.fails(|report| report["rows"][1]["position"] = json!(7), "dòng 2 (Lê Thị Cúc) đã bị sửa");
    case.fails(|report| drop(report["rows"].as_array_mut().unwrap().remove(0)), "thiếu dòng 1");
    case.fails(
        |report| {
            let row = report["rows"][0].clone();
            report["rows"].as_array_mut().unwrap().push(row);
        },
        "bị lặp lại",
    );
    case.fails(|report| report["rows"].as_array_mut().unwrap().swap(0, 1), "bị đổi chỗ");
    // A second value under the same name would be read by some and not by others.
    let doubled = case.report.to_string().replacen("\"points\":8,", "\"points\":99,\"points\":8,", 1);
    assert_ne!(doubled, case.report.to_string());
    let output = case.verify(&doubled);
    assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
}

#[actix_web::test]
async fn whoever_changes_the_manifest_is_found_out() {
    let case = Case::new().await;
    let changed = "bản kê (manifest) đã bị sửa";
    for (field, value) in [
        ("unit_name", json!("Chi bộ khác")),
        ("period", json!("2026-10")),
        ("generation", json!(2)),
        ("closed_at", json!("2026-12-04T02:00:00Z")),
        ("closed_by", Value::Null),
        ("threshold", json!(20)),
        ("unit_id", json!(case.world.sibling)),
        ("closing_id", json!(case.world.sibling)),
        ("former", json!({"closing_id": case.world.cell, "manifest_hash": "0".repeat(64)})),
    ] {
        case.fails(|report| report["manifest"][field] = value.clone(), changed);
    }
    case.fails(|report| report["manifest"]["met"] = json!(2), "bản kê ghi met = 2, các dòng cho 0");
    case.fails(|report| report["manifest"]["members"] = json!(3), "bản kê ghi members = 3, các dòng cho 2");
    case.fails(|report| report["manifest"]["format"] = json!("sotay/closing/2"), "không phải là sotay/closing/1");
    case.fails(|report| report["manifest"]["surplus"] = json!(1), "không đọc được");
    // A row and its hash changed together: the signature says no.
    case.fails(|report| report["manifest"]["row_hashes"][0] = json!("0".repeat(64)), changed);
    case.fails(|report| report["signature"] = json!("A".repeat(86)), changed);
    case.fails(|report| report["manifest"]["kid"] = json!("A".repeat(43)), "không có trong các khóa đã công bố");
    case.fails(|report| report["key"]["x"] = json!("A".repeat(43)), "khác với khóa");
}

#[actix_web::test]
async fn a_report_signed_by_somebody_else_is_refused() {
    let (case, other) = (Case::new().await, Case::new().await);
    let output = case.verify(&other.report.to_string());
    assert_eq!(output.status.code(), Some(1));
    assert!(printed(&output).contains("không có trong các khóa đã công bố"), "{}", printed(&output));
    // Another's key under our key's name does not even load.
    let mut keys: Value = serde_json::from_slice(&std::fs::read(&case.keys).unwrap()).unwrap();
    keys["keys"][0]["x"] = other.report["key"]["x"].clone();
    std::fs::write(&case.keys, keys.to_string()).unwrap();
    let output = case.verify(&case.report.to_string());
    assert!(printed(&output).contains("không khớp với tên"), "{}", printed(&output));
    assert_eq!(output.status.code(), Some(1));
}

#[actix_web::test]
async fn a_committee_s_file_of_all_reports_is_verified_as_a_whole() {
    let case = Case::new().await;
    let world = &case.world;
    let sibling = world.officer(world.sibling, Role::CellSecretary, world.sibling).await;
    world.member_since(world.other_cell, "Ngô Văn Lâm", "2026-01-01".parse().unwrap()).await;
    close(&sibling, world.sibling).await.expect(200);
    let officer = world.officer(world.other_cell, Role::CommitteeOfficer, world.province).await;
    let path = format!("/v1/units/{}/closing-summaries/2026-11/reports.jsonl", world.province);
    let text = String::from_utf8(officer.get(&path).await.expect(200).bytes).unwrap();
    assert_eq!(text.lines().count(), 3);
    let output = case.verify(&text);
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    assert!(printed(&output).contains("đủ 2 báo cáo, 1 chi bộ chưa chốt"), "{}", printed(&output));
    let lines: Vec<&str> = text.lines().collect();
    for (changed, words) in [
        (
            text.replacen("\"points\":8", "\"points\":9", 1),
            "dòng tệp 1: Chi bộ Tổ dân phố số 5, tháng 2026-11, lần chốt 1: dòng 1 (Nguyễn Văn An) đã bị sửa",
        ),
        ([lines[1], lines[2]].join("\n"), "thiếu báo cáo của Chi bộ Tổ dân phố số 5"),
        ([lines[0], lines[1]].join("\n"), "thiếu phần kết có chữ ký"),
        ([lines[0], lines[0], lines[1], lines[2]].join("\n"), "báo cáo bị lặp lại"),
        (text.replacen("\"open\":[{", "\"open\":[],\"x\":[{", 1), "phần kết của gói báo cáo không đọc được"),
        (text.replacen("\"exported_at\":\"2026", "\"exported_at\":\"2025", 1), "phần kết đã bị sửa"),
    ] {
        assert_ne!(changed, text);
        let output = case.verify(&changed);
        assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
        assert!(printed(&output).contains(words), "{words}: {}", printed(&output));
    }
    officer.get(&path).await.expect(200);
    assert_eq!(world.audit_count("closings.exported").await, 2);
}
