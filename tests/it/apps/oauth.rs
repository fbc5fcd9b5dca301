//! OAuth as it is meant: registration and review, consent, tokens, what the member sees, the end.

use serde_json::json;

use super::flow::{
    App, CALLBACK, Page, allowed, approved, claims, code, form, of_address, open, registration, signed_in, status, text,
};
use crate::identity::support::{PASSWORD, active};
use crate::support::World;

#[actix_web::test]
async fn an_app_goes_the_whole_way() {
    let world = World::new().await;
    let app = approved(&world, "confidential").await;
    let person = active(&world).await;
    let shown = open(&world.app, &app.asking("points:read profile:read")).await.expect(200);
    let html = String::from_utf8_lossy(&shown.bytes).into_owned();
    assert!(
        html.contains("lang=\"vi\"") && html.contains("Điểm học tập") && html.contains("phường Bình Minh"),
        "{html}"
    );
    assert!(html.contains("&lt;b&gt;") && !html.contains("<b>") && !html.contains("<script"), "{html}");
    let policy = shown.header("content-security-policy");
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"), "{policy}");
    assert!(policy.contains("form-action 'self' https://app.example;"), "{policy}");
    assert_eq!(shown.header("cache-control"), "no-store");
    let sent = Page::of(&shown).answer(&world.app, "allow", &person.citizen_id, PASSWORD).await.expect(303);
    let back = sent.header("location").to_owned();
    assert!(back.starts_with("https://app.example/callback?tenant=1&code="), "{back}");
    assert_eq!(of_address(&back, "state").as_deref(), Some("a b&c"));
    assert_eq!(of_address(&back, "iss").as_deref(), Some(world.app.state.public_url.as_str()));
    let tokens = app.redeem(&world.app, &of_address(&back, "code").unwrap()).await.expect(200);
    assert_eq!(tokens.header("cache-control"), "no-store");
    assert_eq!(tokens.body["token_type"], "Bearer");
    assert_eq!(tokens.body["scope"], "profile:read points:read");
    let told = claims(&text(&tokens.body, "access_token"));
    assert_eq!(told["iss"], json!(world.app.state.public_url));
    assert_eq!((&told["client_id"], &told["sub"]), (&json!(app.id), &json!(person.id)));
    assert_eq!(status(&world.app, &tokens.body, "/v1/me").await, 200);
    assert_eq!(status(&world.app, &tokens.body, "/v1/me/points").await, 200);
    assert_eq!(status(&world.app, &tokens.body, "/v1/units").await, 403);
    let next = app.refresh(&world.app, &text(&tokens.body, "refresh_token")).await.expect(200);
    assert_eq!(status(&world.app, &next.body, "/v1/me").await, 200);
    let member = signed_in(&world, &person).await;
    let apps = member.get("/v1/me/apps").await.expect(200).body;
    assert_eq!(apps["items"][0]["client_id"], json!(app.id));
    assert_eq!(apps["items"][0]["scopes"], json!(["profile:read", "points:read"]));
    let log = member.get("/v1/me/access-log").await.expect(200).body.to_string();
    for action in ["app.allowed", "app.profile_read", "app.points_read"] {
        assert!(log.contains(action), "{action}: {log}");
    }
    let remove = format!("/v1/me/apps/{}", app.id);
    member.delete(&remove).await.expect(204);
    assert_eq!(status(&world.app, &next.body, "/v1/me").await, 401);
    assert_eq!(status(&world.app, &tokens.body, "/v1/me/points").await, 401);
    let over = app.refresh(&world.app, &text(&next.body, "refresh_token")).await.expect(400);
    assert_eq!(over.body["error"], "invalid_grant");
    assert_eq!(member.get("/v1/me/apps").await.expect(200).body["items"], json!([]));
    member.delete(&remove).await.expect(404);
}

#[actix_web::test]
async fn a_public_app_proves_itself_by_pkce_alone() {
    let world = World::new().await;
    let app = approved(&world, "public").await;
    assert_eq!(app.secret, None);
    let (_, tokens) = allowed(&world, &app, "points:read").await;
    assert_eq!(status(&world.app, &tokens, "/v1/me/points").await, 200);
    let next = app.refresh(&world.app, &text(&tokens, "refresh_token")).await.expect(200);
    let again = app.refresh(&world.app, &text(&tokens, "refresh_token")).await.expect(200);
    assert_eq!(next.body["refresh_token"], again.body["refresh_token"], "the answer may get lost");
    let alone = app.token(&world.app, &[("grant_type", "client_credentials")]).await.expect(400);
    assert_eq!(alone.body["error"], "unauthorized_client");
}

#[actix_web::test]
async fn a_unit_system_reads_figures_without_a_person() {
    let world = World::new().await;
    let app = approved(&world, "confidential").await;
    let grant = [("grant_type", "client_credentials")];
    let tokens = app.token(&world.app, &grant).await.expect(200).body;
    assert_eq!(tokens["scope"], "leaderboards:read units:read");
    assert_eq!(tokens["refresh_token"], json!(null));
    assert_eq!(status(&world.app, &tokens, "/v1/units").await, 200);
    assert_eq!(status(&world.app, &tokens, &format!("/v1/units/{}", world.cell)).await, 200);
    assert_eq!(status(&world.app, &tokens, &format!("/v1/units/{}", world.province)).await, 404);
    for closed in ["/v1/me", "/v1/me/points", "/v1/documents", "/v1/quizzes", "/v1/leaderboards/members"] {
        assert_eq!(status(&world.app, &tokens, closed).await, 403, "{closed}");
    }
    let narrow = app.token(&world.app, &[grant[0], ("scope", "units:read")]).await.expect(200).body;
    assert_eq!(narrow["scope"], "units:read");
    let board = format!("/v1/leaderboards/cells?unit_id={}", world.ward);
    assert_eq!(status(&world.app, &narrow, &board).await, 403);
    assert_eq!(status(&world.app, &tokens, &board).await, 200);
    let wide = app.token(&world.app, &[grant[0], ("scope", "points:read")]).await.expect(400);
    assert_eq!(wide.body["error"], "invalid_scope");
    // By the header instead of the form.
    let request = world.app.request("POST", "/oauth/token").header("Authorization", &app.basic());
    let reply = request.bytes("application/x-www-form-urlencoded", "grant_type=client_credentials").send().await;
    assert_eq!(reply.expect(200).body["scope"], "leaderboards:read units:read");
}

#[actix_web::test]
async fn a_token_can_be_revoked_and_asked_about() {
    let world = World::new().await;
    let (app, other) = (approved(&world, "confidential").await, approved(&world, "confidential").await);
    let (person, tokens) = allowed(&world, &app, "points:read").await;
    let ask = async |who: &App, token: &str| {
        form(&world.app, "/oauth/introspect", &who.with_secret(&[("token", token)])).await
    };
    for name in ["access_token", "refresh_token"] {
        let told = ask(&app, &text(&tokens, name)).await.expect(200);
        assert_eq!(told.body["active"], true, "{name}");
        assert_eq!(told.body["scope"], "points:read");
        assert_eq!(told.body["sub"], json!(person.id));
        assert_eq!(told.header("cache-control"), "no-store");
        assert_eq!(ask(&other, &text(&tokens, name)).await.expect(200).body, json!({"active": false}));
    }
    let own = signed_in(&world, &person).await.token;
    assert_eq!(ask(&app, &own).await.expect(200).body, json!({"active": false}));
    // Another app revokes nothing; a token that is none is answered alike.
    for token in [text(&tokens, "access_token"), own.clone(), "x".to_owned()] {
        form(&world.app, "/oauth/revoke", &other.with_secret(&[("token", &token)])).await.expect(200);
    }
    assert_eq!(status(&world.app, &tokens, "/v1/me/points").await, 200);
    world.app.request("GET", "/v1/me").token(&own).send().await.expect(200);
    form(&world.app, "/oauth/revoke", &app.with_secret(&[("token", &text(&tokens, "refresh_token"))]))
        .await
        .expect(200);
    assert_eq!(status(&world.app, &tokens, "/v1/me/points").await, 401);
    assert_eq!(ask(&app, &text(&tokens, "access_token")).await.expect(200).body, json!({"active": false}));
}

#[actix_web::test]
async fn an_administrator_approves_what_another_registered() {
    let world = World::new().await;
    let (officer, admin, second) =
        (world.committee_officer().await, world.administrator().await, world.administrator().await);
    let made = officer.post("/v1/oauth-clients", &registration(&world, "confidential")).await.expect(201);
    assert_eq!(made.body["state"], "pending");
    assert_eq!(made.header("cache-control"), "no-store");
    let app = App { id: text(&made.body, "client_id"), secret: Some(text(&made.body, "client_secret")) };
    let refused = app.token(&world.app, &[("grant_type", "client_credentials")]).await.expect(401);
    assert_eq!(refused.body["error"], "invalid_client");
    open(&world.app, &app.asking("points:read")).await.expect(400);
    let at = |what: &str| format!("/v1/oauth-clients/{}/{what}", app.id);
    for (caller, status) in [(&officer, 403), (&world.secretary().await, 404), (&world.member().await, 404)] {
        caller.post(&at("approval"), &json!({})).await.expect(status);
    }
    admin.post(&at("approval"), &json!({})).await.expect(200);
    app.token(&world.app, &[("grant_type", "client_credentials")]).await.expect(200);
    let shown = officer.get(&format!("/v1/oauth-clients/{}", app.id)).await.expect(200).body;
    assert_eq!((&shown["state"], &shown["client_secret"]), (&json!("approved"), &json!(null)));
    let list = officer.get(&format!("/v1/oauth-clients?unit_id={}", world.ward)).await.expect(200).body;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    world.member().await.get(&format!("/v1/oauth-clients?unit_id={}", world.ward)).await.expect(403);
    // An administrator's own needs another one.
    let own = admin.post("/v1/oauth-clients", &registration(&world, "public")).await.expect(201);
    let approval = format!("/v1/oauth-clients/{}/approval", text(&own.body, "client_id"));
    assert_eq!(admin.post(&approval, &json!({})).await.expect(403).code(), "own_interest");
    second.post(&approval, &json!({})).await.expect(200);
}

#[actix_web::test]
async fn answers_go_to_no_careless_address() {
    let world = World::new().await;
    let officer = world.committee_officer().await;
    for address in
        ["http://app.example/cb", "https://app.example/cb#x", "https://*.example/cb", "app:/cb", "https://a@b.example/"]
    {
        let mut body = registration(&world, "public");
        body["redirect_uris"] = json!([CALLBACK, address]);
        let reply = officer.post("/v1/oauth-clients", &body).await.expect(422);
        assert_eq!(reply.body["errors"][0]["pointer"], "/redirect_uris/1", "{address}");
    }
    let mut none = registration(&world, "public");
    none["redirect_uris"] = json!([]);
    officer.post("/v1/oauth-clients", &none).await.expect(422);
    let mut wide = registration(&world, "public");
    wide["scopes"] = json!(["points:write"]);
    officer.post("/v1/oauth-clients", &wide).await.expect(400);
}

#[actix_web::test]
async fn a_secret_is_replaced_without_an_outage() {
    let world = World::new().await;
    let app = approved(&world, "confidential").await;
    let officer = world.committee_officer().await;
    let rotate = async || {
        let made = officer.post(&format!("/v1/oauth-clients/{}/secret-rotation", app.id), &json!({})).await.expect(201);
        App { id: app.id.clone(), secret: Some(text(&made.body, "client_secret")) }
    };
    let works = async |app: &App| app.token(&world.app, &[("grant_type", "client_credentials")]).await.status;
    let second = rotate().await;
    assert_eq!((works(&app).await, works(&second).await), (200, 200));
    let third = rotate().await;
    assert_eq!((works(&app).await, works(&second).await, works(&third).await), (401, 200, 200));
    world.app.advance(7 * 24 * 3600);
    assert_eq!((works(&second).await, works(&third).await), (401, 200));
}

#[actix_web::test]
async fn a_suspended_app_is_dead_at_once_and_stays_so_for_those_who_allowed_it() {
    let world = World::new().await;
    let app = approved(&world, "confidential").await;
    let (person, tokens) = allowed(&world, &app, "points:read").await;
    let waiting = code(&world, &app, &person, "points:read").await;
    let alone = app.token(&world.app, &[("grant_type", "client_credentials")]).await.expect(200).body;
    let officer = world.committee_officer().await;
    let at = |what: &str| format!("/v1/oauth-clients/{}/{what}", app.id);
    let stopped = officer.post(&at("suspension"), &json!({})).await.expect(200);
    assert_eq!(stopped.body["state"], "suspended");
    assert_eq!(status(&world.app, &tokens, "/v1/me/points").await, 401);
    assert_eq!(status(&world.app, &alone, "/v1/units").await, 401);
    app.refresh(&world.app, &text(&tokens, "refresh_token")).await.expect(401);
    world.administrator().await.post(&at("approval"), &json!({})).await.expect(200);
    assert_eq!(status(&world.app, &tokens, "/v1/me/points").await, 401);
    assert_eq!(app.redeem(&world.app, &waiting).await.expect(400).body["error"], "invalid_grant");
    app.token(&world.app, &[("grant_type", "client_credentials")]).await.expect(200);
}

#[actix_web::test]
async fn who_denies_is_sent_back_without_signing_in() {
    let world = World::new().await;
    let app = approved(&world, "confidential").await;
    let page = Page::of(&open(&world.app, &app.asking("points:read")).await.expect(200));
    page.answer(&world.app, "", "", "").await.expect(200);
    let sent = page.answer(&world.app, "deny", "", "").await.expect(303);
    assert_eq!(of_address(sent.header("location"), "error").as_deref(), Some("access_denied"));
    assert_eq!(of_address(sent.header("location"), "state").as_deref(), Some("a b&c"));
}

#[actix_web::test]
async fn the_end_of_an_account_is_the_end_of_its_apps() {
    let world = World::new().await;
    let app = approved(&world, "confidential").await;
    let (person, tokens) = allowed(&world, &app, "points:read").await;
    let member = signed_in(&world, &person).await;
    member.delete("/v1/me/sessions").await.expect(204);
    assert_eq!(status(&world.app, &tokens, "/v1/me/points").await, 200, "devices are no apps");
    let body = json!({"current_password": PASSWORD, "new_password": "một mùa xuân rất khác"});
    member.post("/v1/me/password", &body).await.expect(204);
    assert_eq!(status(&world.app, &tokens, "/v1/me/points").await, 401);
    let (person, tokens) = allowed(&world, &app, "points:read").await;
    let suspension = format!("/v1/accounts/{}/suspension", person.id);
    world.secretary().await.post(&suspension, &json!({"reason": "Mất điện thoại"})).await.expect(200);
    assert_eq!(status(&world.app, &tokens, "/v1/me/points").await, 401);
    app.refresh(&world.app, &text(&tokens, "refresh_token")).await.expect(400);
}

#[actix_web::test]
async fn libraries_find_everything_in_the_metadata() {
    let world = World::new().await;
    let told = world.app.get("/.well-known/oauth-authorization-server").await.expect(200).body;
    let base = &world.app.state.public_url;
    assert_eq!(told["issuer"], json!(base));
    assert_eq!(told["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(told["authorization_response_iss_parameter_supported"], true);
    for name in
        ["authorization_endpoint", "token_endpoint", "revocation_endpoint", "introspection_endpoint", "jwks_uri"]
    {
        let path = told[name].as_str().unwrap().strip_prefix(base.as_str()).unwrap();
        assert_ne!(world.app.get(path).await.status, 404, "{name}");
    }
}
