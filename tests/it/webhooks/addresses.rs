//! Addresses that are refused: when they are named, and when something is sent.

use serde_json::json;

use super::{Hook, hook, publish, send};
use crate::support::{Receiver, TestApp, World};

async fn strict() -> World {
    World::in_app(TestApp::start_with(|config| config.webhook_allow_loopback = false).await).await
}

#[actix_web::test]
async fn private_addresses_are_refused_when_they_are_named() {
    let world = strict().await;
    let officer = world.propaganda_officer().await;
    let refused = [
        ("https://127.0.0.1/", "private_address"),
        ("https://2130706433/", "private_address"),
        ("https://0x7f.1/", "private_address"),
        ("https://[::1]/", "private_address"),
        ("https://[::ffff:10.0.0.1]/", "private_address"),
        ("https://[64:ff9b::a00:1]/", "private_address"),
        ("https://169.254.169.254/latest/meta-data", "private_address"),
        ("https://100.64.0.1/", "private_address"),
        ("https://198.51.100.1/", "private_address"),
        // A name that stands for a private address.
        ("https://localhost:5432/", "private_address"),
        ("http://receiver.example/", "not_https"),
        ("https://user:secret@receiver.example/", "malformed_url"),
    ];
    for (url, code) in refused {
        let body = json!({"url": url, "events": ["document.published"]});
        let refused = officer.post("/v1/webhook-endpoints", &body).await.expect(422);
        assert_eq!(refused.body["errors"][0]["code"], code, "{url}");
        assert_eq!(refused.body["errors"][0]["pointer"], "/url");
    }
    let listed = officer.get("/v1/webhook-endpoints").await.expect(200);
    assert_eq!(listed.body["items"], json!([]));
}

#[actix_web::test]
async fn a_name_is_judged_again_when_something_is_sent() {
    let world = strict().await;
    let officer = world.propaganda_officer().await;
    let receiver = Receiver::start().await;
    let body = json!({"url": "https://receiver.invalid/hooks", "events": ["document.published"]});
    let made = officer.post("/v1/webhook-endpoints", &body).await.expect(201);
    let hook = Hook { id: made.id(), secret: String::new(), receiver };
    publish(&world, &officer).await;
    send(&world).await;
    assert_eq!(hook.last(&officer).await["last_error"], "name_unresolved");
    // What stood for a public address when it was named stands for a private one now.
    for url in [format!("https://localhost{}", &hook.receiver.url[16..]), "https://[::ffff:127.0.0.1]/".to_owned()] {
        execute(&world, &format!("UPDATE webhook_endpoints SET url = '{url}', next_at = now() - interval '1 month'"))
            .await;
        execute(&world, "UPDATE webhook_deliveries SET next_at = now() - interval '1 month'").await;
        send(&world).await;
        assert_eq!(hook.last(&officer).await["last_error"], "address_refused", "{url}");
    }
    hook.receiver.expect(0).await;
}

#[actix_web::test]
async fn loopback_that_is_allowed_is_called_and_other_private_addresses_are_not() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let hook = hook(&officer).await;
    let named = hook.receiver.url.replace("127.0.0.1", "localhost");
    officer.patch(&hook.path(""), &json!({"url": named})).await.expect(200);
    officer.patch(&hook.path(""), &json!({"url": "https://10.0.0.1/"})).await.expect(422);
    publish(&world, &officer).await;
    send(&world).await;
    hook.receiver.expect(1).await;
}

async fn execute(world: &World, statement: &str) {
    use diesel_async::RunQueryDsl;
    let mut conn = world.app.state.db.conn().await.unwrap();
    diesel::sql_query(statement).execute(&mut *conn).await.unwrap();
}
