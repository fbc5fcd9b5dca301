//! The attacks of RFC 9700 that apply to us, each against the running program.

use futures_util::future::join_all;
use serde_json::json;

use super::flow::{
    App, CALLBACK, CHALLENGE, Page, VERIFIER, allowed, approved, code, form, of_address, open, redemption, signed_in,
    status, text,
};
use crate::identity::support::{PASSWORD, active, refresh, sign_in};
use crate::support::World;

/// The same pairs with one of them changed, or left out.
fn changed<'a>(pairs: &[(&'a str, &'a str)], name: &str, value: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
    let kept = pairs.iter().copied().filter(|(found, _)| *found != name);
    kept.chain(
        value.map(|value| pairs.iter().find(|(found, _)| *found == name).map_or(("", value), |(n, _)| (*n, value))),
    )
    .collect()
}

#[actix_web::test]
async fn a_code_is_used_once_and_its_replay_ends_what_it_bought() {
    let world = World::new().await;
    let app = approved(&world, "confidential").await;
    let person = active(&world).await;
    let code = code(&world, &app, &person, "points:read").await;
    let tokens = app.redeem(&world.app, &code).await.expect(200).body;
    assert_eq!(status(&world.app, &tokens, "/v1/me/points").await, 200);
    assert_eq!(app.redeem(&world.app, &code).await.expect(400).body["error"], "invalid_grant");
    assert_eq!(status(&world.app, &tokens, "/v1/me/points").await, 401);
    app.refresh(&world.app, &text(&tokens, "refresh_token")).await.expect(400);
}

#[actix_web::test]
async fn a_code_raced_twenty_times_buys_nothing_that_lasts() {
    let world = World::new().await;
    let app = approved(&world, "confidential").await;
    let person = active(&world).await;
    let code = code(&world, &app, &person, "points:read").await;
    let replies = join_all((0..20).map(|_| app.redeem(&world.app, &code))).await;
    let bought: Vec<_> = replies.iter().filter(|reply| reply.status == 200).collect();
    assert_eq!(bought.len(), 1);
    assert_eq!(status(&world.app, &bought[0].body, "/v1/me/points").await, 401);
}

#[actix_web::test]
async fn a_code_lives_a_minute() {
    let world = World::new().await;
    let app = approved(&world, "confidential").await;
    let person = active(&world).await;
    let (early, late) =
        (code(&world, &app, &person, "points:read").await, code(&world, &app, &person, "points:read").await);
    world.app.advance(59);
    app.redeem(&world.app, &early).await.expect(200);
    world.app.advance(1);
    assert_eq!(app.redeem(&world.app, &late).await.expect(400).body["error"], "invalid_grant");
}

#[actix_web::test]
async fn a_stolen_code_is_worth_nothing_without_its_proof() {
    let world = World::new().await;
    let (app, thief) = (approved(&world, "public").await, approved(&world, "public").await);
    let person = active(&world).await;
    let code = code(&world, &app, &person, "points:read").await;
    let right = redemption(&code);
    let other = "x".repeat(43);
    let wrong = [
        ("no verifier", changed(&right, "code_verifier", None)),
        ("another verifier", changed(&right, "code_verifier", Some(&other))),
        ("the challenge as the verifier", changed(&right, "code_verifier", Some(CHALLENGE))),
        ("no address", changed(&right, "redirect_uri", None)),
        ("another address", changed(&right, "redirect_uri", Some("https://app.example/callback"))),
        ("another code", changed(&right, "code", Some("AAAA"))),
    ];
    for (what, pairs) in &wrong {
        let reply = app.token(&world.app, pairs).await.expect(400);
        assert!(["invalid_grant", "invalid_request"].contains(&reply.body["error"].as_str().unwrap()), "{what}");
    }
    assert_eq!(thief.token(&world.app, &right).await.expect(400).body["error"], "invalid_grant");
    app.token(&world.app, &right).await.expect(200);
}

#[actix_web::test]
async fn pkce_cannot_be_downgraded() {
    let world = World::new().await;
    let app = approved(&world, "confidential").await;
    let right = app.asking("points:read");
    let wrong = [
        changed(&right, "code_challenge", None),
        changed(&right, "code_challenge_method", None),
        changed(&right, "code_challenge_method", Some("plain")),
        changed(&right, "code_challenge", Some(VERIFIER.get(..42).unwrap())),
        changed(&right, "code_challenge", Some("")),
    ];
    for asking in &wrong {
        let sent = open(&world.app, asking).await.expect(303);
        assert_eq!(of_address(sent.header("location"), "error").as_deref(), Some("invalid_request"), "{asking:?}");
    }
}

#[actix_web::test]
async fn nothing_is_ever_sent_to_an_address_that_is_not_registered() {
    let world = World::new().await;
    let app = approved(&world, "confidential").await;
    let right = app.asking("points:read");
    let addresses = [
        "https://evil.example/callback",
        "https://app.example/callback",
        "https://app.example/callback?tenant=2",
        "https://app.example/callback?tenant=1&x=1",
        "https://app.example/callback?tenant=1#x",
        "https://app.example/Callback?tenant=1",
        "https://app.example.evil.example/callback?tenant=1",
        "https://app.example@evil.example/callback?tenant=1",
        "https://app.example:8443/callback?tenant=1",
        "http://app.example/callback?tenant=1",
        "https://app.example/callback/../evil?tenant=1",
        "javascript:alert(1)",
        "//evil.example",
        "",
    ];
    for address in addresses {
        for asking in [changed(&right, "redirect_uri", Some(address)), {
            // Even when something else is wrong as well.
            let faulty = changed(&right, "redirect_uri", Some(address));
            changed(&faulty, "response_type", Some("token"))
        }] {
            let reply = open(&world.app, &asking).await.expect(400);
            assert_eq!(reply.header("location"), "", "{address}");
            assert!(reply.header("content-type").starts_with("text/html"), "{address}");
        }
    }
    open(&world.app, &changed(&right, "redirect_uri", None)).await.expect(400);
    for client in ["x", "00000000-0000-0000-0000-000000000000", &world.cell.to_string(), "%00"] {
        open(&world.app, &changed(&right, "client_id", Some(client))).await.expect(400);
    }
    let mut twice = right.clone();
    twice.push(("redirect_uri", "https://evil.example/"));
    open(&world.app, &twice).await.expect(400);
}

#[actix_web::test]
async fn other_faults_are_told_to_the_app_with_its_state_and_our_name() {
    let world = World::new().await;
    let app = approved(&world, "confidential").await;
    let right = app.asking("points:read");
    let wrong = [
        ("unsupported_response_type", changed(&right, "response_type", Some("token"))),
        ("invalid_request", changed(&right, "response_type", None)),
        ("invalid_scope", changed(&right, "scope", Some("points:read documents:read"))),
        ("invalid_scope", changed(&right, "scope", Some("admin"))),
    ];
    for (error, asking) in &wrong {
        let sent = open(&world.app, asking).await.expect(303);
        let back = sent.header("location");
        assert!(back.starts_with("https://app.example/callback?tenant=1&"), "{back}");
        assert_eq!(of_address(back, "error").as_deref(), Some(*error));
        assert_eq!(of_address(back, "state").as_deref(), Some("a b&c"));
        assert_eq!(of_address(back, "iss").as_deref(), Some(world.app.state.public_url.as_str()), "mix-up");
    }
}

#[actix_web::test]
async fn a_refresh_token_that_is_used_again_ends_the_session() {
    let world = World::new().await;
    let app = approved(&world, "public").await;
    let (person, first) = allowed(&world, &app, "points:read").await;
    let stolen = text(&first, "refresh_token");
    let next = app.refresh(&world.app, &stolen).await.expect(200).body;
    world.app.advance(31);
    assert_eq!(app.refresh(&world.app, &stolen).await.expect(400).body["error"], "invalid_grant");
    app.refresh(&world.app, &text(&next, "refresh_token")).await.expect(400);
    assert_eq!(status(&world.app, &next, "/v1/me/points").await, 401);
    let member = signed_in(&world, &person).await;
    assert_eq!(member.get("/v1/me/apps").await.expect(200).body["items"], json!([]));
}

#[actix_web::test]
async fn refresh_tokens_of_one_party_are_nothing_to_another() {
    let world = World::new().await;
    let (app, other) = (approved(&world, "public").await, approved(&world, "public").await);
    let (person, tokens) = allowed(&world, &app, "points:read").await;
    let token = text(&tokens, "refresh_token");
    assert_eq!(refresh(&world.app, &token).await.expect(401).code(), "refresh_token_invalid");
    assert_eq!(other.refresh(&world.app, &token).await.expect(400).body["error"], "invalid_grant");
    let own = sign_in(&world.app, &person.citizen_id, PASSWORD, None).await.expect(201).body;
    app.refresh(&world.app, &text(&own, "refresh_token")).await.expect(400);
    refresh(&world.app, &text(&own, "refresh_token")).await.expect(200);
    app.refresh(&world.app, &token).await.expect(200);
}

#[actix_web::test]
async fn scopes_do_not_grow_at_a_refresh() {
    let world = World::new().await;
    let app = approved(&world, "confidential").await;
    let (_, tokens) = allowed(&world, &app, "points:read profile:read").await;
    let (grant, token) = (("grant_type", "refresh_token"), text(&tokens, "refresh_token"));
    let ask = async |token: &str, scope: &str| {
        app.token(&world.app, &[grant, ("refresh_token", token), ("scope", scope)]).await
    };
    let wide = ask(&token, "points:read units:read").await.expect(400);
    assert_eq!(wide.body["error"], "invalid_scope");
    let narrow = ask(&token, "profile:read").await.expect(200).body;
    assert_eq!(narrow["scope"], "profile:read");
    assert_eq!(status(&world.app, &narrow, "/v1/me/points").await, 403);
    let back = ask(&text(&narrow, "refresh_token"), "points:read").await.expect(200).body;
    assert_eq!(status(&world.app, &back, "/v1/me/points").await, 200);
}

#[actix_web::test]
async fn a_client_that_is_not_itself_gets_nothing() {
    let world = World::new().await;
    let app = approved(&world, "confidential").await;
    let other = approved(&world, "confidential").await;
    let wrong = [
        App { secret: None, ..app.clone() },
        App { secret: Some("x".to_owned()), ..app.clone() },
        App { secret: other.secret.clone(), ..app.clone() },
        App { id: world.cell.to_string(), ..app.clone() },
        App { id: "x".to_owned(), ..app.clone() },
    ];
    for client in &wrong {
        for path in ["/oauth/token", "/oauth/introspect", "/oauth/revoke"] {
            let pairs = client.with_secret(&[("grant_type", "client_credentials"), ("token", "x")]);
            let reply = form(&world.app, path, &pairs).await.expect(401);
            assert_eq!(reply.body["error"], "invalid_client", "{path}");
            assert!(reply.header("www-authenticate").starts_with("Basic"), "{path}");
        }
    }
    let twice = world.app.request("POST", "/oauth/token").header("Authorization", &app.basic());
    let body = format!("grant_type=client_credentials&client_secret={}", app.secret.as_deref().unwrap());
    let reply = twice.bytes("application/x-www-form-urlencoded", body).send().await.expect(400);
    assert_eq!(reply.body["error"], "invalid_request");
    let strange = app.token(&world.app, &[("grant_type", "password")]).await.expect(400);
    assert_eq!(strange.body["error"], "unsupported_grant_type");
    let known = app.token(&world.app, &[("grant_type", "client_credentials"), ("resource", "x")]).await;
    known.expect(200);
}

#[actix_web::test]
async fn no_other_site_can_send_the_consent_form() {
    let world = World::new().await;
    let app = approved(&world, "confidential").await;
    let person = active(&world).await;
    let page = Page::of(&open(&world.app, &app.asking("points:read")).await.expect(200));
    let other = Page::of(&open(&world.app, &app.asking("profile:read")).await.expect(200));
    let forged = [
        ("no cookie", Page { cookie: "x=1".to_owned(), ..page.clone() }),
        ("the cookie of another browser", Page { cookie: other.cookie.clone(), ..page.clone() }),
        ("another request", Page { request: other.request.clone(), ..page.clone() }),
        ("no token", Page { token: String::new(), ..page.clone() }),
        ("an altered request", Page { request: page.request.replace("points", "profile"), ..page.clone() }),
    ];
    for (what, forged) in &forged {
        for decision in ["allow", "deny"] {
            let reply = forged.answer(&world.app, decision, &person.citizen_id, PASSWORD).await;
            assert_eq!(reply.status, 403, "{what}");
            assert_eq!(reply.header("location"), "", "{what}");
        }
    }
    world.app.advance(901);
    page.answer(&world.app, "allow", &person.citizen_id, PASSWORD).await.expect(403);
    let shown = open(&world.app, &app.asking("points:read")).await.expect(200);
    let cookie = shown.header("set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
}

#[actix_web::test]
async fn passwords_are_guessed_no_faster_on_the_page() {
    let world = World::new().await;
    let app = approved(&world, "confidential").await;
    let person = active(&world).await;
    let page = Page::of(&open(&world.app, &app.asking("points:read")).await.expect(200));
    for _ in 0..10 {
        let again = page.answer(&world.app, "allow", &person.citizen_id, "sai").await.expect(401);
        assert!(String::from_utf8_lossy(&again.bytes).contains("không đúng"));
    }
    page.answer(&world.app, "allow", &person.citizen_id, PASSWORD).await.expect(429);
    // The same allowance as that of the handbook's own app.
    sign_in(&world.app, &person.citizen_id, PASSWORD, None).await.expect(429);
    world.app.advance(15 * 60);
    let page = Page::of(&open(&world.app, &app.asking("points:read")).await.expect(200));
    page.answer(&world.app, "allow", &person.citizen_id, PASSWORD).await.expect(303);
}

#[actix_web::test]
async fn the_page_is_framed_by_no_one_and_runs_nothing() {
    let world = World::new().await;
    let app = approved(&world, "confidential").await;
    let good = open(&world.app, &app.asking("points:read")).await.expect(200);
    let bad = open(&world.app, &[("client_id", "x")]).await.expect(400);
    for page in [&good, &bad] {
        let policy = page.header("content-security-policy");
        for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("script-src") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
    }
    assert!(CALLBACK.starts_with("https://app.example"));
}
