//! Guessing passwords: limits hold in parallel and for strangers, and do not lock the owner out.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;

use super::support::*;
use crate::support::{TestApp, World};

#[actix_web::test]
async fn a_burst_of_guesses_does_not_exceed_the_limit() {
    let world = World::new().await;
    let (app, person) = (&world.app, active(&world).await);
    let guesses = (0..50).map(|_| sign_in(app, &person.citizen_id, "sai mật khẩu", None));
    let replies = join_all(guesses).await;
    let count = |code: &str| replies.iter().filter(|reply| reply.code() == code).count();
    assert_eq!((count("invalid_credentials"), count("sign_in_throttled")), (10, 40));
    let right = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(429);
    let wait: i64 = right.header("retry-after").parse().unwrap();
    assert!((1..=900).contains(&wait));
    app.advance(wait);
    sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201);
}

#[actix_web::test]
async fn strangers_unactivated_and_disabled_people_look_like_anybody() {
    let world = World::new().await;
    let (app, waiting) = (&world.app, person(&world, world.cell).await);
    for login in ["999999999999", waiting.citizen_id.as_str(), "nobody"] {
        for _ in 0..10 {
            let reply = sign_in(app, login, PASSWORD, None).await.expect(401);
            assert_eq!(reply.code(), "invalid_credentials");
        }
        sign_in(app, login, PASSWORD, None).await.expect(429);
    }
}

/// What a stranger sees who guesses at several logins in turn, and then at each again.
async fn seen(app: &TestApp, logins: &[&str]) -> Vec<u16> {
    let mut statuses = Vec::new();
    for login in logins {
        for _ in 0..10 {
            statuses.push(sign_in(app, login, "đoán mò", None).await.status);
        }
    }
    for login in logins {
        statuses.push(sign_in(app, login, "đoán mò", None).await.status);
    }
    statuses
}

#[actix_web::test]
async fn counting_does_not_tell_whose_numbers_belong_together() {
    let world = World::new().await;
    let (app, person) = (&world.app, active(&world).await);
    let (other, waiting) = (active(&world).await, super::support::person(&world, world.cell).await);
    // Two numbers of one person, one each of two people, one of nobody: all the same.
    let together = seen(app, &[&person.phone, &person.citizen_id]).await;
    assert_eq!(together, seen(app, &[&other.phone, &waiting.citizen_id]).await);
    assert_eq!(together, seen(app, &["0911111111", "999999999999"]).await);
    // However a number is written, it is one login.
    sign_in(app, &format!("+84 {}", &person.phone[1..]), PASSWORD, None).await.expect(429);
    sign_in(app, "+84 911 111 111", PASSWORD, None).await.expect(429);
}

#[actix_web::test]
async fn a_device_of_ones_own_tells_nothing_of_others_either() {
    let world = World::new().await;
    let (app, person, spy) = (&world.app, active(&world).await, active(&world).await);
    let device = text(&sign_in(app, &spy.citizen_id, PASSWORD, None).await.expect(201).body, "device_token");
    let mut seen = Vec::new();
    for login in [person.phone.as_str(), person.citizen_id.as_str(), "0922222222", "888888888888"] {
        let mut statuses = Vec::new();
        for _ in 0..11 {
            statuses.push(sign_in(app, login, "đoán mò", Some(&device)).await.status);
        }
        seen.push(statuses);
    }
    assert!(seen.iter().all(|statuses| *statuses == seen[0]), "{seen:?}");
}

#[actix_web::test]
async fn a_refusal_takes_as_long_whoever_is_meant() {
    let app = TestApp::start_with(|config| config.password_memory_kib = 19_456).await;
    let world = World::in_app(app).await;
    let (app, person) = (&world.app, active(&world).await);
    let mut took = Vec::new();
    for login in [person.citizen_id.as_str(), "777777777777"] {
        let mut shortest = Duration::MAX;
        for _ in 0..6 {
            let begun = Instant::now();
            sign_in(app, login, "đoán mò", None).await.expect(401);
            shortest = shortest.min(begun.elapsed());
        }
        took.push(shortest.as_secs_f64());
    }
    let ratio = took[0] / took[1];
    assert!((0.6..1.7).contains(&ratio), "{took:?}");
}

#[actix_web::test]
async fn a_window_of_a_clock_that_was_set_back_locks_nobody_out() {
    let world = World::new().await;
    let (app, person) = (&world.app, active(&world).await);
    app.advance(86_400);
    for _ in 0..10 {
        sign_in(app, &person.citizen_id, "đoán mò", None).await.expect(401);
    }
    sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(429);
    app.advance(-30);
    // Clocks of instances differ by seconds.
    sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(429);
    app.advance(-86_370);
    sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201);
    for _ in 0..10 {
        sign_in(app, &person.citizen_id, "đoán mò", None).await.expect(401);
    }
    sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(429);
}

#[actix_web::test]
async fn bogus_activations_and_guesses_stop_no_known_device() {
    let world = World::new().await;
    let (app, person, newcomer) = (&world.app, active(&world).await, active(&world).await);
    let first = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201);
    let device = text(&first.body, "device_token");
    let thief = super::support::person(&world, world.cell).await;
    for n in 0..300 {
        redeem(app, &format!("0000-0000-{n:04}"), &thief, BIRTH).await.expect(410);
    }
    redeem(app, "0000-0000-9999", &thief, BIRTH).await.expect(429);
    // Activations have a budget of their own.
    sign_in(app, &newcomer.citizen_id, PASSWORD, None).await.expect(201);
    for n in 0..300 {
        sign_in(app, &format!("kẻ lạ {n}"), "đoán", None).await.expect(401);
    }
    sign_in(app, &newcomer.citizen_id, PASSWORD, None).await.expect(429);
    sign_in(app, &person.citizen_id, PASSWORD, Some(&device)).await.expect(201);
    refresh(app, &text(&first.body, "refresh_token")).await.expect(200);
}

#[actix_web::test]
async fn no_flood_of_one_kind_uses_up_the_requests_of_another() {
    let app = TestApp::start_with(|config| config.anonymous_requests_per_minute = 20).await;
    let world = World::in_app(app).await;
    let (app, person) = (&world.app, active(&world).await);
    let entered = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201);
    let (token, device) = (text(&entered.body, "refresh_token"), text(&entered.body, "device_token"));
    let flooded = async |method: &str, path: &str| {
        for _ in 0..25 {
            let request = app.request(method, path);
            let request = if method == "POST" { request.json(&json!({})) } else { request };
            if request.send().await.status == 429 {
                return;
            }
        }
        panic!("{path} has no budget");
    };
    flooded("GET", "/v1/units").await;
    flooded("GET", "/.well-known/jwks.json").await;
    flooded("GET", "/.well-known/report-keys.json").await;
    flooded("GET", "/readyz").await;
    flooded("GET", "/openapi.json").await;
    flooded("GET", "/docs/").await;
    flooded("POST", "/v1/auth/activate").await;
    for _ in 0..25 {
        sign_in(app, "kẻ lạ", "đoán", None).await;
        refresh(app, "AAAA").await;
    }
    assert_eq!(sign_in(app, "kẻ lạ", "đoán", None).await.code(), "too_many_requests");
    assert_eq!(refresh(app, "AAAA").await.code(), "too_many_requests");
    sign_in(app, &person.citizen_id, PASSWORD, Some(&device)).await.expect(201);
    let refreshed = refresh(app, &token).await.expect(200);
    assert!(refreshed.header("ratelimit").contains("r="), "{:?}", refreshed.headers);
    for _ in 0..30 {
        assert_eq!(app.get("/healthz").await.status, 200);
    }
}

#[actix_web::test]
async fn an_enemy_does_not_lock_out_a_known_device() {
    let world = World::new().await;
    let (app, person) = (&world.app, active(&world).await);
    let first = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201);
    let device = text(&first.body, "device_token");
    for _ in 0..11 {
        sign_in(app, &person.citizen_id, "kẻ xấu đoán", None).await;
    }
    sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(429);
    sign_in(app, &person.citizen_id, PASSWORD, Some("AAAA")).await.expect(429);
    for _ in 0..9 {
        sign_in(app, &person.citizen_id, "gõ nhầm", Some(&device)).await.expect(401);
    }
    let own = sign_in(app, &person.citizen_id, PASSWORD, Some(&device)).await.expect(201);
    assert_eq!(own.body["device_token"], first.body["device_token"]);
    // Success gave the device its allowance back, and the enemy nothing.
    for _ in 0..10 {
        sign_in(app, &person.citizen_id, "gõ nhầm", Some(&device)).await.expect(401);
    }
    sign_in(app, &person.citizen_id, PASSWORD, Some(&device)).await.expect(429);
    sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(429);
}

#[actix_web::test]
async fn a_device_of_another_account_is_an_unknown_one() {
    let world = World::new().await;
    let (app, owner, enemy) = (&world.app, active(&world).await, active(&world).await);
    let entered = sign_in(app, &enemy.citizen_id, PASSWORD, None).await.expect(201);
    let device = text(&entered.body, "device_token");
    for _ in 0..10 {
        sign_in(app, &owner.citizen_id, "đoán", None).await.expect(401);
    }
    sign_in(app, &owner.citizen_id, "đoán", Some(&device)).await.expect(429);
}

#[actix_web::test]
async fn a_village_behind_one_address_is_not_locked_out() {
    let world = World::new().await;
    let app = &world.app;
    let mut village = Vec::new();
    for _ in 0..40 {
        village.push(active(&world).await);
    }
    for person in &village {
        for _ in 0..5 {
            sign_in(app, &person.citizen_id, "gõ nhầm", None).await.expect(401);
        }
    }
    for person in &village {
        sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201);
    }
    // Successes were not counted, failures were: 200 so far, 300 is the end.
    for n in 0..100 {
        sign_in(app, &format!("kẻ lạ {n}"), "đoán", None).await.expect(401);
    }
    sign_in(app, "kẻ lạ cuối", "đoán", None).await.expect(429);
}

#[actix_web::test]
async fn whoever_would_wait_too_long_is_sent_away_and_has_not_guessed() {
    let world = World::new().await;
    let (app, person) = (&world.app, active(&world).await);
    let slots = app.state.config.password_concurrency;
    let busy = app.state.password_slots.acquire_many(slots.try_into().unwrap()).await.unwrap();
    let replies = join_all((0..12).map(|_| sign_in(app, &person.citizen_id, PASSWORD, None))).await;
    drop(busy);
    assert!(replies.iter().any(|reply| reply.status == 503 && !reply.header("retry-after").is_empty()));
    assert!(replies.iter().all(|reply| matches!(reply.status, 503 | 429)));
    sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201);
}
