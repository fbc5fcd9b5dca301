//! A hanging PostgreSQL: requests are refused in time, and nothing is lost or counted twice.

use std::time::{Duration, Instant};

use serde_json::json;

use super::Site;
use crate::support::{Actor, Reply, Request};

/// A little more than the program's own timeout.
const LONGEST: Duration = Duration::from_secs(14);

/// The freezing ends with the test, however that ends.
struct Frozen<'a>(&'a Site);

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        self.0.postgres.freeze(false);
    }
}

async fn visit(member: &Actor) -> Reply {
    member.request("POST", "/v1/me/visits").header("Idempotency-Key", "the-same").json(&json!({})).send().await
}

async fn sign_in(url: &str) -> Reply {
    let body = json!({"login": "quantri", "password": "mật khẩu nào đó", "device_name": "Máy thử"});
    Request::new("POST", &format!("{url}/v1/auth/sessions")).json(&body).send().await
}

async fn refresh(url: &str, token: &str) -> Reply {
    Request::new("POST", &format!("{url}/v1/auth/sessions/refresh")).json(&json!({"refresh_token": token})).send().await
}

#[actix_web::test]
async fn a_database_that_hangs_keeps_nobody_waiting() {
    let site = Site::with_members(3).await;
    let member = site.member(0, 0);
    member.get("/v1/me/points").await.expect(200);
    let tokens = sotay::identity::open_demo_sessions(&site.world.app.state, &[member.id], 1).await.unwrap();
    let frozen = Frozen(&site);
    site.postgres.freeze(true);
    let begun = Instant::now();
    let ready = async {
        let reply = Request::new("GET", &format!("{}/readyz", site.url(0))).send().await;
        (reply, begun.elapsed())
    };
    let url = site.url(0);
    let (login, refresh) = (sign_in(url), refresh(url, &tokens[0].refresh));
    let (award, month, profile, login, refresh, (ready, took)) =
        tokio::join!(visit(&member), member.get("/v1/me/points"), member.get("/v1/me"), login, refresh, ready);
    assert!(begun.elapsed() < LONGEST, "{:?}", begun.elapsed());
    assert!(took < Duration::from_secs(4), "whoever balances the load learns it soon: {took:?}");
    for reply in [award, month, profile, login, refresh, ready] {
        assert_eq!(reply.status, 503, "{}", reply.body);
        assert!(!reply.header("retry-after").is_empty());
    }
    drop(frozen);
    visit(&member).await.expect(200);
    let points = member.get("/v1/me/points").await.expect(200);
    assert_eq!(points.body["points"], 1, "what was begun before counts once");
    site.verify().await;
}
