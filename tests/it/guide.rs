//! The guide: every command runs, both languages say the same, no link is dead.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sotay::demo::{self, Scale};

use crate::support::TestApp;

fn sources(language: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide").join(language);
    let mut found: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

/// The blocks of commands and examples of a page.
fn blocks(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    text.split("\n```").skip(1).step_by(2).map(str::to_owned).collect()
}

/// The addresses of a page's links within this site.
fn links(page: &str) -> BTreeSet<String> {
    let parts = page.split("href=\"/").skip(1).filter_map(|rest| rest.split(['"', '#']).next());
    parts.map(|path| format!("/{path}")).collect()
}

#[actix_web::test]
async fn every_command_does_what_the_guide_says() {
    let app = TestApp::on_system_clock_with(|config| config.reading_floor_seconds = 5).await;
    demo::fill(&app.state, Scale::Ward).await.unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/guide-check");
    let mut command = Command::new(script);
    command.arg(&app.base_url);
    let done = actix_web::web::block(move || command.output()).await.unwrap().unwrap();
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{out}\n{err}");
}

#[test]
fn both_languages_have_the_same_pages_and_commands() {
    let (vi, en) = (sources("vi"), sources("en"));
    let names = |paths: &[PathBuf]| paths.iter().map(|path| path.file_name().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&vi), names(&en));
    assert!(en.len() >= 10, "{en:?}");
    for (vi, en) in vi.iter().zip(&en) {
        assert_eq!(blocks(vi), blocks(en), "{}", en.display());
    }
}

#[actix_web::test]
async fn no_link_is_dead() {
    let app = TestApp::start().await;
    let mut waiting: Vec<String> = ["/docs/guide/", "/docs/changelog", "/problems"].map(str::to_owned).into();
    let mut seen = BTreeSet::new();
    while let Some(path) = waiting.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let reply = app.get(&path).await;
        assert_eq!(reply.status, 200, "{path}");
        if reply.header("content-type").starts_with("text/html") && !path.starts_with("/docs/console") {
            waiting.extend(links(&String::from_utf8(reply.bytes).unwrap()));
        }
    }
    assert!(sources("en").len() * 2 < seen.len(), "{seen:?}");
}

#[actix_web::test]
async fn a_page_names_the_address_of_its_own_server_and_keeps_the_language() {
    let app = TestApp::start().await;
    let page = String::from_utf8(app.get("/docs/guide/first-call?lang=en").await.expect(200).bytes).unwrap();
    assert!(page.contains(&format!("B={}", app.base_url)) && !page.contains("127.0.0.1:8080"), "{page}");
    assert!(page.contains("href=\"/docs/?lang=en\"") && page.contains("<h2 id=\"what-holds-everywhere\">"), "{page}");
    let vietnamese = String::from_utf8(app.get("/docs/guide/first-call").await.expect(200).bytes).unwrap();
    assert!(vietnamese.contains("<html lang=\"vi\">") && vietnamese.contains("trong năm phút"));
    app.get("/docs/guide/nothing").await.expect(404);
}
