//! HTML pages: layout, policy, assets, languages, the error page.

use crate::support::{Reply, TestApp};

fn html(reply: &Reply) -> String {
    assert!(reply.header("content-type").starts_with("text/html"), "{}", reply.header("content-type"));
    String::from_utf8(reply.bytes.clone()).unwrap()
}

/// The part of a page behind a mark, up to a quote.
fn after<'a>(page: &'a str, mark: &str) -> &'a str {
    let (_, rest) = page.split_once(mark).unwrap_or_else(|| panic!("no {mark} in {page}"));
    rest.split('"').next().unwrap()
}

#[actix_web::test]
async fn a_page_runs_and_loads_nothing_but_its_style() {
    let app = TestApp::start().await;
    let reply = app.get("/problems").await.expect(200);
    let policy = reply.header("content-security-policy");
    for part in
        ["default-src 'none'", "style-src 'self'", "frame-ancestors 'none'", "form-action 'none'", "base-uri 'none'"]
    {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{policy}");
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    assert_eq!(reply.header("referrer-policy"), "no-referrer");
    let page = html(&reply);
    for forbidden in ["<style", "<script", " style=", " onclick="] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("width=device-width, initial-scale=1") && page.contains("id=\"not_found\""));
}

#[actix_web::test]
async fn assets_are_kept_for_a_year_under_the_hash_of_their_content() {
    let app = TestApp::start().await;
    let page = html(&app.get("/problems").await);
    let path = after(&page, "rel=\"stylesheet\" href=\"").to_owned();
    let style = app.get(&path).await.expect(200);
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(style.header("cache-control"), "public, max-age=31536000, immutable");
    let text = String::from_utf8(style.bytes).unwrap();
    assert!(text.contains("prefers-color-scheme: dark") && text.contains("@media print"));
    app.get("/assets/pages.AAAAAAAAAAAA.css").await.expect(404);
}

#[actix_web::test]
async fn a_page_speaks_the_language_of_the_browser_or_of_its_address() {
    let app = TestApp::start().await;
    let default = app.get("/problems/not_found").await;
    assert_eq!(default.header("content-language"), "vi");
    assert!(default.header("vary").contains("Accept-Language"), "{}", default.header("vary"));
    assert!(html(&default).contains("<html lang=\"vi\">") && html(&default).contains("Không tìm thấy"));
    let english = app.request("GET", "/problems/not_found").header("Accept-Language", "en-GB").send().await;
    assert!(html(&english).contains("<html lang=\"en\">") && html(&english).contains("Not found"));
    let chosen = app.request("GET", "/problems/not_found?lang=en").header("Accept-Language", "vi").send().await;
    assert!(html(&chosen).contains("<html lang=\"en\">"));
    assert!(html(&chosen).contains("href=\"/docs/reference/Documents?lang=en#getDocument\""), "operations by code");
    assert!(html(&chosen).contains("href=\"/problems?lang=en\""), "links keep the language that was chosen");
}

#[actix_web::test]
async fn a_browser_gets_a_page_about_an_error_and_a_program_gets_json() {
    let app = TestApp::start().await;
    let accept = "text/html,application/xhtml+xml,*/*;q=0.8";
    let ask = |path: &str| app.request("GET", path).header("Accept", accept).send();
    let lost = ask("/problems/<script>alert(1)</script>?lang=en").await.expect(404);
    let page = html(&lost);
    assert!(page.contains("Not found") && page.contains(lost.header("x-request-id")), "{page}");
    assert!(!page.contains("<script"), "{page}");
    assert!(lost.header("content-security-policy").contains("frame-ancestors 'none'"));
    assert_eq!(lost.header("cache-control"), "no-store");
    let of_api = ask("/v1/me").await.expect(401);
    assert_eq!(of_api.header("content-type"), "application/problem+json");
    let of_program = app.get("/problems/nothing").await.expect(404);
    assert_eq!((of_program.header("content-type"), of_program.code()), ("application/problem+json", "not_found"));
}
