//! Foreign files are parsed in a process of their own: whatever ends it, the answer is a refusal and the server goes on.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use sotay::kernel::config::Config;
use sotay::kernel::foreign::{self, Bounds, Task};
use sotay::kernel::http::problem::{Code, Problem};

use super::{AN, fixture, import, sheet};
use crate::support::{TestApp, World};

const BOUNDS: Bounds = Bounds { memory: 768 << 20, cpu_seconds: 60, wall: Duration::from_secs(60), output: 64 << 20 };
const SETTINGS: &str = r#"{"today": "2026-11-20", "size": "long"}"#;

/// A program that does something else than parse.
fn program(folder: &Path, script: &str) -> PathBuf {
    let path = folder.join("parser");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn config(parser: PathBuf) -> Config {
    Config { parser: Some(parser), ..Config::defaults() }
}

async fn parse(config: &Config, bounds: Bounds, file: &[u8]) -> Result<Value, Problem> {
    foreign::parse(config, Task { kind: "roster", settings: SETTINGS, bounds }, file).await
}

fn code(result: Result<Value, Problem>) -> Code {
    result.map(|value| value.to_string().chars().take(200).collect::<String>()).unwrap_err().code
}

/// So many members that reading them takes memory and time.
fn long_list() -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    sheet
        .write_row(0, 0, ["Họ và tên", "Ngày sinh", "Giới tính", "Số CCCD", "Ngày vào Đảng", "Ngày chính thức"])
        .unwrap();
    for row in 1..60_000 {
        let number = format!("0381{row:08}");
        sheet.write_row(row, 0, [AN[0], AN[1], AN[2], &number, AN[6], AN[7]]).unwrap();
    }
    book.save_to_buffer().unwrap()
}

#[actix_web::test]
async fn a_parser_that_takes_too_much_is_ended() {
    let config = config(env!("CARGO_BIN_EXE_sotay").into());
    let file = long_list();
    let read = parse(&config, BOUNDS, &file).await.unwrap();
    assert_eq!(read["Ok"]["rows"].as_array().unwrap().len(), 59_999);
    let memory = Bounds { memory: 24 << 20, ..BOUNDS };
    // Where memory ends decides whether the parser can still say so.
    let refused = parse(&config, memory, &file).await;
    assert!(refused.as_ref().map_or(true, |answer| answer["Err"] == "NotAWorkbook"), "memory: {refused:?}");
    let cpu = Bounds { cpu_seconds: 0, ..BOUNDS };
    assert_eq!(code(parse(&config, cpu, &file).await), Code::FileUnreadable, "time of a core");
    let output = Bounds { output: 10_000, ..BOUNDS };
    assert_eq!(code(parse(&config, output, &file).await), Code::FileUnreadable, "output");
    let wall = Bounds { wall: Duration::from_millis(1), ..BOUNDS };
    assert_eq!(code(parse(&config, wall, &file).await), Code::FileUnreadable, "time");
}

#[actix_web::test]
async fn a_parser_that_hangs_dies_or_floods_is_a_refusal() {
    let folder = tempfile::tempdir().unwrap();
    for script in ["exec /bin/sleep 600", "kill -ABRT $$", "exit 3", "kill -KILL $$", "while :; do echo yyyyyyyy; done"]
    {
        let config = config(program(folder.path(), script));
        let begun = Instant::now();
        let bounds = Bounds { wall: Duration::from_secs(2), output: 1 << 20, ..BOUNDS };
        assert_eq!(code(parse(&config, bounds, &[0; 1 << 20]).await), Code::FileUnreadable, "{script}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{script}");
    }
}

#[actix_web::test]
async fn a_parser_knows_no_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let script = r#"printf '{"environment": "%s"}' "$(/usr/bin/env | /usr/bin/cut -d= -f1 | /usr/bin/tr '\n' ' ')""#;
    let config = config(program(folder.path(), script));
    let seen = parse(&config, BOUNDS, b"").await.unwrap()["environment"].as_str().unwrap().to_owned();
    // What the shell sets by itself.
    let given: Vec<&str> =
        seen.split_whitespace().filter(|name| !matches!(*name, "PWD" | "SHLVL" | "_" | "OLDPWD")).collect();
    assert!(given.is_empty(), "{given:?}");
}

#[actix_web::test]
async fn the_server_goes_on_when_a_file_kills_its_parser() {
    let folder = tempfile::tempdir().unwrap();
    let parser = program(folder.path(), "kill -SEGV $$");
    let world = World::in_app(TestApp::start_with(|config| config.parser = Some(parser.clone())).await).await;
    let officer = world.organisation_officer().await;
    // An account sends one file at a time.
    let mut officers = Vec::new();
    for _ in 0..6 {
        officers.push(world.organisation_officer().await);
    }
    let all = officers.iter().map(|officer| import(officer, &world, false, sheet(&[AN])));
    for reply in futures_util::future::join_all(all).await {
        assert_eq!(reply.expect(422).code(), "file_unreadable");
    }
    world.app.get("/healthz").await.expect(200);
    officer.get("/v1/me").await.expect(200);
    // The next file is another matter.
    std::fs::remove_file(&parser).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_sotay"), &parser).unwrap();
    import(&officer, &world, false, fixture("roster")).await.expect(200);
}
