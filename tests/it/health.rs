//! Liveness, readiness, and what every answer has in common.

use crate::support::{TestApp, World};

#[actix_web::test]
async fn a_ready_server_says_so() {
    let app = TestApp::start().await;
    assert_eq!(app.get("/healthz").await.status, 200);
    assert_eq!(app.get("/readyz").await.status, 200);
    assert_eq!(app.request("HEAD", "/healthz").send().await.status, 200);
    assert_eq!(app.request("HEAD", "/readyz").send().await.status, 200);
}

#[actix_web::test]
async fn an_error_is_problem_json_in_the_language_asked_for() {
    let app = TestApp::start().await;
    let vietnamese = app.get("/v1/units").await;
    assert_eq!(vietnamese.status, 401);
    assert_eq!(vietnamese.header("content-type"), "application/problem+json");
    assert_eq!(vietnamese.body["title"], "Cần đăng nhập");
    let english = app.request("GET", "/v1/units").header("Accept-Language", "en").send().await;
    assert_eq!(english.body["title"], "Sign-in is required");
    assert_eq!(english.code(), "unauthenticated");
    let wrong = app.request("GET", "/v1/units?x=1").send().await;
    assert_eq!((wrong.status, wrong.code()), (400, "invalid_request"));
    assert_eq!(wrong.body["errors"][0]["pointer"], "x");
    let method = app.request("DELETE", "/v1/units").send().await;
    assert_eq!((method.status, method.header("allow")), (405, "GET, POST, HEAD"));
}

#[actix_web::test]
async fn head_answers_like_get_without_the_body() {
    let world = World::new().await;
    let member = world.member().await;
    for path in ["/v1/me", "/v1/me?x=1", "/v1/units/x", "/healthz"] {
        let (get, head) = (member.get(path).await, member.request("HEAD", path).send().await);
        assert_eq!((get.status, head.bytes.len()), (head.status, 0), "{path}");
        for name in ["content-type", "content-length", "etag"] {
            assert_eq!(get.header(name), head.header(name), "{path}: {name}");
        }
    }
}
