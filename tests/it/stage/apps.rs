//! Apps of the ward: one that waits for review, one that was approved, and what a member allowed it.

use serde_json::json;

use super::Scene;
use crate::apps::{flow, support};

const FORM: &str = "application/x-www-form-urlencoded";

pub async fn prepare(scene: &mut Scene<'_>) {
    let world = &scene.cast.world;
    match scene.operation.id.as_str() {
        "createOauthClient" => scene.json(flow::registration(world, "confidential")),
        "removeMyApp" => {
            let (app, account) = (support::app(world).await, scene.account());
            if !account.is_nil() {
                support::claims(world, app, account, "points:read").await;
            }
            scene.id("client_id", app);
        }
        "createToken" | "revokeToken" | "introspectToken" => {
            let app = flow::approved(world, "confidential").await;
            let pairs = app.with_secret(&[("grant_type", "client_credentials"), ("token", "x")]);
            scene.file(FORM, flow::encode(&pairs).into_bytes());
        }
        "authorize" => {
            let app = flow::approved(world, "confidential").await;
            let pairs = app.asking("points:read").into_iter();
            let encoded = |value: &str| flow::encode(&[("", value)]).trim_start_matches('=').to_owned();
            scene.query = pairs.map(|(name, value)| (name.to_owned(), encoded(value))).collect();
        }
        "answerAuthorization" => {
            let app = flow::approved(world, "confidential").await;
            let page = flow::Page::of(&flow::open(&world.app, &app.asking("points:read")).await.expect(200));
            let pairs = [("request", page.request.as_str()), ("token", &page.token), ("decision", "deny")];
            scene.file(FORM, flow::encode(&pairs).into_bytes());
            scene.headers.push(("Cookie", page.cookie));
        }
        _ => {}
    }
    if scene.names("client_id") && !scene.ids.contains_key("client_id") {
        let officer = scene.cast.actor("ward");
        let made = officer.post("/v1/oauth-clients", &flow::registration(world, "confidential")).await.expect(201);
        let id = made.body["client_id"].as_str().unwrap().to_owned();
        scene.id("client_id", id);
        if !scene.operation.reads() {
            scene.json(json!({}));
        }
    }
}
