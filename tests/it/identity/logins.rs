//! Logins: the card, a phone number of one's own, and logins that mean two people or none.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;
use sotay::kernel::db::schema::{accounts, sign_in_failures};
use sotay::organisation::members::handles::HandleKind;
use unicode_normalization::UnicodeNormalization;

use super::support::*;
use crate::support::{TestApp, World};

/// Gives a person a number to sign in with.
async fn give_number(app: &TestApp, person: &Person, kind: HandleKind, number: &str) {
    use sotay::kernel::db::schema::sign_in_handles;
    let mut conn = app.state.db.conn().await.unwrap();
    let digest = kind.digest(&app.state.crypto, number);
    diesel::insert_into(sign_in_handles::table)
        .values((
            sign_in_handles::account_id.eq(person.id),
            sign_in_handles::kind.eq(kind.as_str()),
            sign_in_handles::digest.eq(&digest),
            sign_in_handles::since.eq(app.state.clock.now()),
        ))
        .on_conflict((sign_in_handles::account_id, sign_in_handles::kind))
        .do_update()
        .set((sign_in_handles::digest.eq(&digest), sign_in_handles::since.eq(app.state.clock.now())))
        .execute(&mut *conn)
        .await
        .unwrap();
}

async fn whose(app: &TestApp, login: &str, password: &str) -> String {
    let entered = sign_in(app, login, password, None).await.expect(201);
    text(&get(app, &entered.body, "/v1/me").await.expect(200).body, "id")
}

#[actix_web::test]
async fn a_card_number_opens_the_same_account() {
    let world = World::new().await;
    let (app, person) = (&world.app, active(&world).await);
    give_number(app, &person, HandleKind::CardNumber, "381234567890").await;
    for typed in ["381234567890", " 3812.3456.7890 "] {
        assert_eq!(whose(app, typed, PASSWORD).await, person.id.to_string());
    }
}

#[actix_web::test]
async fn a_phone_that_came_to_two_people_at_once_is_nobodys_login() {
    let world = World::new().await;
    let (app, first, second) = (&world.app, active(&world).await, active(&world).await);
    assert_eq!(whose(app, &first.phone, PASSWORD).await, first.id.to_string());
    give_number(app, &second, HandleKind::Phone, &first.phone).await;
    sign_in(app, &first.phone, PASSWORD, None).await.expect(401);
    for person in [first, second] {
        assert_eq!(whose(app, &person.citizen_id, PASSWORD).await, person.id.to_string());
    }
}

#[actix_web::test]
async fn who_has_had_a_phone_for_longest_keeps_it_and_both_are_told() {
    let world = World::new().await;
    let (app, secretary) = (&world.app, world.secretary().await);
    let (officer, member) = (active(&world).await, active(&world).await);
    app.advance(60);
    let path = format!("/v1/members/{}", member.id);
    let profile = secretary.get(&path).await.expect(200);
    let change = secretary.request("PATCH", &path).header("If-Match", profile.header("etag"));
    change.json(&json!({"phone": officer.phone})).send().await.expect(200);
    assert_eq!(whose(app, &officer.phone, PASSWORD).await, officer.id.to_string());
    sign_in(app, &member.phone, PASSWORD, None).await.expect(401);
    for (person, kind) in [(&officer, "phone_kept"), (&member, "phone_taken")] {
        let entered = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201);
        let told = told(app, &entered.body).await;
        assert!(told.contains(&kind.to_owned()), "{told:?}");
    }
}

#[actix_web::test]
async fn of_two_people_whom_a_login_may_mean_the_password_tells() {
    let world = World::new().await;
    let (app, owner, other) = (&world.app, active(&world).await, active(&world).await);
    give_number(app, &other, HandleKind::CardNumber, &owner.citizen_id).await;
    let mine = "mùa xuân năm nay";
    let hash = sotay::identity::hash_password(&app.state, mine).await.unwrap();
    let mut conn = app.state.db.conn().await.unwrap();
    sotay::identity::store_password(&mut conn, &[other.id], &hash, app.state.clock.now()).await.unwrap();
    assert_eq!(whose(app, &owner.citizen_id, PASSWORD).await, owner.id.to_string());
    assert_eq!(whose(app, &owner.citizen_id, mine).await, other.id.to_string());
    let failures: Vec<i32> = sign_in_failures::table.select(sign_in_failures::failures).load(&mut *conn).await.unwrap();
    assert!(failures.iter().all(|n| *n == 0), "neither sign-in was a guess at the other: {failures:?}");
    for _ in 0..10 {
        sign_in(app, &owner.citizen_id, "đoán mò", None).await.expect(401);
    }
    // A guess counts against the login, and tells nothing of other numbers of those it may mean.
    sign_in(app, &owner.citizen_id, mine, None).await.expect(429);
    sign_in(app, &other.citizen_id, mine, None).await.expect(201);
}

#[actix_web::test]
async fn a_disabled_account_is_out_everywhere_at_once() {
    let world = World::new().await;
    let (app, person) = (&world.app, active(&world).await);
    let entered = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201);
    let mut conn = app.state.db.conn().await.unwrap();
    diesel::update(accounts::table.find(person.id))
        .set(accounts::disabled_at.eq(app.state.clock.now()))
        .execute(&mut *conn)
        .await
        .unwrap();
    get(app, &entered.body, "/v1/me").await.expect(401);
    refresh(app, &text(&entered.body, "refresh_token")).await.expect(401);
    assert_eq!(sign_in(app, &person.citizen_id, PASSWORD, None).await.code(), "invalid_credentials");
}

#[actix_web::test]
async fn f04_a_password_is_the_same_on_every_keyboard() {
    use unicode_normalization::UnicodeNormalization;
    let world = World::new().await;
    let (app, person) = (&world.app, active(&world).await);
    let decomposed: String = PASSWORD.nfd().collect();
    // As Windows' Vietnamese layout types it: the letter, then its tone.
    let apart = PASSWORD.replace('ù', "u\u{300}").replace('ấ', "â\u{301}");
    assert!(decomposed != PASSWORD && apart != PASSWORD && apart != decomposed);
    for typed in [PASSWORD, &decomposed, &apart] {
        assert_eq!(whose(app, &person.citizen_id, typed).await, person.id.to_string(), "{typed:?}");
    }
    // A hash of an older version, made of the letters as they were typed then.
    for old in [&decomposed, &apart] {
        let hash = argon2_of(old);
        let mut conn = app.state.db.conn().await.unwrap();
        diesel::update(accounts::table.find(person.id))
            .set(accounts::password_hash.eq(hash))
            .execute(&mut *conn)
            .await
            .unwrap();
        drop(conn);
        for typed in [PASSWORD, &decomposed, &apart] {
            assert_eq!(whose(app, &person.citizen_id, typed).await, person.id.to_string(), "{old:?} {typed:?}");
        }
    }
    sign_in(app, &person.citizen_id, "mua thu nam ay", None).await.expect(401);
}

/// A hash of exactly these letters.
fn argon2_of(password: &str) -> String {
    use argon2::password_hash::PasswordHasher;
    let params = argon2::Params::new(8, 2, 1, None).unwrap();
    let hasher = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    hasher.hash_password(password.as_bytes()).unwrap().to_string()
}

#[actix_web::test]
async fn f04_a_password_is_measured_in_letters_that_people_see() {
    let world = World::new().await;
    let (app, person) = (&world.app, person(&world, world.cell).await);
    let path = format!("/v1/members/{}/activation-slips", person.id);
    let code = text(&world.secretary().await.post(&path, &serde_json::json!({})).await.expect(201).body, "code");
    let activate = async |password: &str| {
        let body = serde_json::json!({"code": code, "citizen_id": person.citizen_id, "birth_date": BIRTH,
            "password": password, "device_name": "Máy thử"});
        app.request("POST", "/v1/auth/activate").json(&body).send().await
    };
    // Eight characters typed, three letters seen.
    activate("ấấ\u{302}a\u{302}\u{301}a\u{302}\u{301}").await.expect(400);
    // Fewer than 200 letters, in more than 200 characters.
    let words = ["mưa nguồn suối vắng trăng tà ngõ trúc đò ngang bến cũ"; 3].join(" ");
    let typed: String = words.nfd().collect();
    assert!(words.chars().count() < 200 && typed.chars().count() > 200);
    activate(&typed).await.expect(201);
}

#[actix_web::test]
async fn f12_what_nobody_sees_is_no_part_of_a_login() {
    let world = World::new().await;
    let (app, person) = (&world.app, active(&world).await);
    for login in [
        format!("\u{202d}{}\u{202c}", person.phone),
        format!("\u{feff}{}\u{200b}", person.citizen_id),
        format!("{}\u{a0}{}", &person.phone[..4], &person.phone[4..]),
    ] {
        assert_eq!(whose(app, &login, PASSWORD).await, person.id.to_string(), "{login:?}");
    }
}
