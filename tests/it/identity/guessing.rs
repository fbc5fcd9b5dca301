//! Guessing passwords: limits that hold in parallel, for strangers too, and do not lock the owner out.

use futures_util::future::join_all;

use super::support::*;
use crate::support::World;

#[actix_web::test]
async fn a_burst_of_guesses_does_not_exceed_the_limit() {
    let world = World::new().await;
    let (app, person) = (&world.app, active(&world).await);
    let guesses = (0..50).map(|_| sign_in(app, &person.citizen_id, "sai mật khẩu", None));
    let replies = join_all(guesses).await;
    let count = |code: &str| replies.iter().filter(|reply| reply.code() == code).count();
    assert_eq!((count("invalid_credentials"), count("sign_in_throttled")), (10, 40));
    // Another way to name the same person opens no other allowance.
    let right = sign_in(app, &person.phone, PASSWORD, None).await.expect(429);
    let wait: i64 = right.header("retry-after").parse().unwrap();
    assert!((1..=900).contains(&wait));
    app.advance(wait);
    sign_in(app, &person.phone, PASSWORD, None).await.expect(201);
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
