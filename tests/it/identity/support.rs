//! People with passwords, and the requests that sign them in.

use std::sync::atomic::{AtomicU64, Ordering};

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use sotay::kernel::db::schema::{audit_events, outbox, sessions};
use sotay::organisation::members::{NewMember, Origin, admit};
use uuid::Uuid;

use crate::support::{Reply, TestApp, World};

pub const PASSWORD: &str = "mùa thu năm ấy";
pub const BIRTH: &str = "1975-09-02";
static NUMBER: AtomicU64 = AtomicU64::new(7_000_000_000);

/// A person with known numbers.
pub struct Person {
    pub id: Uuid,
    pub citizen_id: String,
    pub phone: String,
}

pub async fn person(world: &World, cell: Uuid) -> Person {
    let n = NUMBER.fetch_add(1, Ordering::SeqCst);
    let (citizen_id, phone) = (format!("{n:012}"), format!("09{:08}", n % 100_000_000));
    let new = NewMember {
        full_name: "Phạm Văn Dũng".to_owned(),
        birth_date: BIRTH.parse().unwrap(),
        sex: "male",
        admitted_on: "2005-02-03".parse().unwrap(),
        official_on: None,
        citizen_id: citizen_id.clone(),
        card_number: None,
        phone: Some(phone.clone()),
    };
    let state = &world.app.state;
    let mut conn = state.db.conn().await.unwrap();
    let (now, since) = (state.clock.now(), "2025-01-01".parse().unwrap());
    let origin = Origin::Admitted;
    let ids = admit(&mut conn, &state.crypto, &[new], cell, origin, since, now).await.unwrap();
    Person { id: ids[0], citizen_id, phone }
}

/// The same with a password.
pub async fn active(world: &World) -> Person {
    let person = person(world, world.cell).await;
    give_password(world, person.id).await;
    person
}

pub async fn give_password(world: &World, account: Uuid) {
    let state = &world.app.state;
    let hash = sotay::identity::hash_password(state, PASSWORD).await.unwrap();
    let mut conn = state.db.conn().await.unwrap();
    sotay::identity::store_password(&mut conn, &[account], &hash, state.clock.now()).await.unwrap();
}

pub async fn sign_in(app: &TestApp, login: &str, password: &str, device: Option<&str>) -> Reply {
    let mut body = json!({"login": login, "password": password, "device_name": "Máy thử"});
    if let Some(device) = device {
        body["device_token"] = json!(device);
    }
    let request = app.request("POST", "/v1/auth/sessions");
    request.json(&body).send().await
}

pub async fn refresh(app: &TestApp, token: &str) -> Reply {
    let request = app.request("POST", "/v1/auth/sessions/refresh");
    request.json(&json!({"refresh_token": token})).send().await
}

pub async fn get(app: &TestApp, tokens: &Value, path: &str) -> Reply {
    app.request("GET", path).token(&text(tokens, "access_token")).send().await
}

pub async fn redeem(app: &TestApp, code: &str, person: &Person, birth: &str) -> Reply {
    let body = json!({"code": code, "citizen_id": person.citizen_id, "birth_date": birth,
        "password": PASSWORD, "device_name": "Máy thử"});
    app.request("POST", "/v1/auth/activate").json(&body).send().await
}

#[track_caller]
pub fn text(body: &Value, name: &str) -> String {
    body[name].as_str().unwrap_or_else(|| panic!("no {name} in {body}")).to_owned()
}

pub async fn audited(app: &TestApp, action: &str) -> i64 {
    let mut conn = app.state.db.conn().await.unwrap();
    audit_events::table.filter(audit_events::action.eq(action)).count().get_result(&mut *conn).await.unwrap()
}

/// Why the sessions of an account ended; none for those alive.
pub async fn endings(app: &TestApp, account: Uuid) -> Vec<Option<String>> {
    let mut conn = app.state.db.conn().await.unwrap();
    sessions::table
        .filter(sessions::account_id.eq(account))
        .order((sessions::created_at, sessions::id))
        .select(sessions::revoked_because)
        .load(&mut *conn)
        .await
        .unwrap()
}

/// The kinds of notifications, the newest first, once the outbox is empty.
pub async fn told(app: &TestApp, tokens: &Value) -> Vec<String> {
    // The server's own loop may be delivering some of them.
    let waiting = outbox::table.filter(outbox::done_at.is_null()).count();
    loop {
        while sotay::jobs::deliver(&app.state).await.unwrap() > 0 {}
        let mut conn = app.state.db.conn().await.unwrap();
        if waiting.get_result::<i64>(&mut *conn).await.unwrap() == 0 {
            break;
        }
        drop(conn);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let list = get(app, tokens, "/v1/me/notifications").await.expect(200);
    let items = list.body["items"].as_array().unwrap();
    items.iter().map(|item| text(item, "kind")).collect()
}
