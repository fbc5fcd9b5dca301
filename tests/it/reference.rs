//! The document as a product: summaries in Vietnamese, journeys, roles, links that lead to this server.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::TestApp;

fn operations() -> Vec<&'static Value> {
    let paths = sotay::app::document()["paths"].as_object().unwrap();
    paths.values().flat_map(|item| item.as_object().unwrap().values()).collect()
}

#[test]
fn every_operation_has_a_summary_in_vietnamese() {
    let table = include_str!("../../openapi/summaries.vi.tsv");
    let ids: Vec<&str> = table.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert!(ids.is_sorted(), "openapi/summaries.vi.tsv is sorted by the names of the operations");
    let known: BTreeSet<&str> =
        operations().iter().map(|operation| operation["operationId"].as_str().unwrap()).collect();
    let gone: Vec<_> = ids.iter().filter(|id| !known.contains(*id)).collect();
    assert!(gone.is_empty(), "openapi/summaries.vi.tsv has operations that are gone: {gone:?}");
    let missing: Vec<_> = known.iter().filter(|id| !ids.contains(*id)).collect();
    assert!(missing.is_empty(), "openapi/summaries.vi.tsv lacks {missing:?}");
}

#[test]
fn every_operation_names_the_roles_it_lets_in() {
    for operation in operations() {
        let roles = operation["x-roles"].as_array();
        assert!(roles.is_some_and(|roles| !roles.is_empty()), "{}", operation["operationId"]);
    }
    let find = |id: &str| operations().into_iter().find(|operation| operation["operationId"] == id).unwrap();
    assert_eq!(find("createSession")["x-roles"][0], "anonymous");
    assert_eq!(find("submitAttempt")["x-roles"], serde_json::json!(["self"]));
}

#[test]
fn every_tag_belongs_to_one_journey() {
    let document = sotay::app::document();
    let tags: Vec<&Value> = document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    let groups = document["x-tagGroups"].as_array().unwrap();
    let grouped: Vec<&Value> = groups.iter().flat_map(|group| group["tags"].as_array().unwrap()).collect();
    for tag in &tags {
        assert_eq!(grouped.iter().filter(|grouped| grouped == &tag).count(), 1, "{tag}");
    }
    assert_eq!(grouped.len(), tags.len());
}

#[actix_web::test]
async fn the_links_of_the_served_document_lead_to_this_server() {
    let app = TestApp::start().await;
    let document = app.get("/openapi.json").await.expect(200).body;
    let guide = document["externalDocs"]["url"].as_str().unwrap();
    assert!(guide.starts_with(&app.base_url), "{guide}");
    app.get(guide.strip_prefix(&app.base_url).unwrap()).await.expect(200);
    for tag in document["tags"].as_array().unwrap() {
        if let Some(url) = tag["externalDocs"]["url"].as_str() {
            app.get(url.strip_prefix(&app.base_url).unwrap()).await.expect(200);
        }
    }
    assert!(!document.to_string().contains("https://sotay.example/"));
}

fn text(reply: crate::support::Reply) -> String {
    String::from_utf8(reply.bytes).unwrap()
}

#[actix_web::test]
async fn the_reference_shows_every_operation_without_a_script() {
    let app = TestApp::start().await;
    let overview = text(app.get("/docs/").await.expect(200));
    for tag in sotay::app::document()["tags"].as_array().unwrap() {
        let tag = tag["name"].as_str().unwrap();
        assert!(overview.contains(&format!("href=\"/docs/reference/{tag}\"")), "{tag}");
        let page = text(app.get(&format!("/docs/reference/{tag}")).await.expect(200));
        assert!(!page.contains("<script"), "{tag}");
        for operation in operations().into_iter().filter(|operation| operation["tags"][0] == tag) {
            let id = operation["operationId"].as_str().unwrap();
            assert!(page.contains(&format!("<section id=\"{id}\">")), "{id}");
            let vietnamese = operation["x-summary-vi"].as_str().unwrap();
            assert!(page.contains(vietnamese), "{vietnamese}");
        }
    }
    let sessions = text(app.get("/docs/reference/Sessions?lang=en").await.expect(200));
    for part in ["Sign in", "<code>device_name</code>", "/problems/sign_in_throttled?lang=en", "anonymous", "POST"] {
        assert!(sessions.contains(part), "{part}");
    }
    app.get("/docs/reference/Nothing").await.expect(404);
}

#[actix_web::test]
async fn the_console_loads_nothing_before_its_button_and_signs_in_on_the_demo_only() {
    let app = TestApp::start().await;
    let reply = app.get("/docs/console/").await.expect(200);
    let policy = reply.header("content-security-policy").to_owned();
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
    let page = text(reply);
    assert!(page.matches("<script").count() == 1 && page.contains("src=\"/assets/console."), "{page}");
    assert!(!page.contains("<select") && !page.contains("swagger-ui"), "{page}");
    let folder = page.split("data-folder=\"").nth(1).unwrap().split('"').next().unwrap();
    for file in ["swagger-ui.css", "swagger-ui-bundle.js"] {
        let file = app.get(&format!("{folder}{file}")).await.expect(200);
        assert!(file.header("cache-control").contains("immutable") && file.bytes.len() > 10_000);
    }
    app.get(&format!("{folder}index.html")).await.expect(404);
    let login = sotay::kernel::state::DemoLogin { role: "member", login: "038000000011".to_owned(), password: "x" };
    assert!(app.state.demo_logins.set(vec![login]).is_ok());
    let page = text(app.get("/docs/console/").await.expect(200));
    assert!(page.contains("<option value=\"038000000011\" data-password=\"x\">"), "{page}");
}
