//! A small world for tests: a ward with two cells, and people with roles, all signed in.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use uuid::Uuid;

use chrono::{NaiveDate, NaiveTime};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use sotay::kernel::clock::VIET_NAM;
use sotay::kernel::db::schema::{accounts, grants, sessions};
use sotay::kernel::ids::new_id;
use sotay::kernel::security::access::Role;
use sotay::kernel::security::auth::Claims;
use sotay::organisation::members::{NewMember, Origin, admit};
use sotay::organisation::units::{NewUnit, create};

use super::{Reply, Request, TestApp, redis_url};

/// Citizen IDs of invented people: the next number.
static NUMBER: AtomicU64 = AtomicU64::new(1_000_000_000);

/// A person who is signed in.
#[derive(Debug, Clone)]
pub struct Actor {
    pub id: Uuid,
    pub token: String,
    /// The device session of the token.
    pub session: Uuid,
    base_url: String,
}

impl Actor {
    /// The same person at another instance of the program.
    pub fn at(&self, base_url: &str) -> Self {
        Self { base_url: base_url.to_owned(), ..self.clone() }
    }

    /// The same person with a token of their own getting.
    pub fn with_token(self, token: String) -> Self {
        Self { token, ..self }
    }

    pub fn request(&self, method: &str, path: &str) -> Request {
        Request::new(method, &format!("{}{path}", self.base_url)).token(&self.token)
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.request("GET", path).send().await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.request("POST", path).json(body).send().await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.request("PATCH", path).json(body).send().await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.request("DELETE", path).send().await
    }
}

/// The units and the program they live in.
pub struct World {
    pub app: TestApp,
    pub province: Uuid,
    pub ward: Uuid,
    pub cell: Uuid,
    pub sibling: Uuid,
    /// A ward of the same province with one cell.
    pub other_ward: Uuid,
    pub other_cell: Uuid,
}

impl World {
    pub async fn new() -> Self {
        Self::in_app(TestApp::start().await).await
    }

    /// With the leaderboards of large units in Redis.
    pub async fn with_redis() -> Self {
        Self::in_app(TestApp::start_with(|config| config.redis_url = Some(redis_url().into())).await).await
    }

    pub async fn in_app(app: TestApp) -> Self {
        let province = unit(&app, "Tỉnh ủy Sông Xanh", "province", None).await;
        let ward = unit(&app, "Đảng bộ phường Bình Minh", "grassroots_committee", Some(province)).await;
        let cell = unit(&app, "Chi bộ Tổ dân phố số 5", "cell", Some(ward)).await;
        let sibling = unit(&app, "Chi bộ Tổ dân phố số 6", "cell", Some(ward)).await;
        let other_ward = unit(&app, "Đảng bộ phường Hoàng Hôn", "grassroots_committee", Some(province)).await;
        let other_cell = unit(&app, "Chi bộ Tổ dân phố số 1", "cell", Some(other_ward)).await;
        Self { app, province, ward, cell, sibling, other_ward, other_cell }
    }

    /// A member of the cell, since the year before.
    pub async fn member(&self) -> Actor {
        self.member_of(self.cell, "Nguyễn Văn An").await
    }

    /// A member of the sibling cell.
    pub async fn outsider(&self) -> Actor {
        self.member_of(self.sibling, "Trần Thị Bình").await
    }

    pub async fn secretary(&self) -> Actor {
        self.officer(self.cell, Role::CellSecretary, self.cell).await
    }

    pub async fn committee_officer(&self) -> Actor {
        self.officer(self.other_cell, Role::CommitteeOfficer, self.ward).await
    }

    pub async fn propaganda_officer(&self) -> Actor {
        self.officer(self.other_cell, Role::PropagandaOfficer, self.ward).await
    }

    pub async fn organisation_officer(&self) -> Actor {
        self.officer(self.other_cell, Role::OrganisationOfficer, self.ward).await
    }

    pub async fn inspector(&self) -> Actor {
        self.officer(self.other_cell, Role::Inspector, self.ward).await
    }

    /// A member of `home` with a role on `unit`.
    pub async fn officer(&self, home: Uuid, role: Role, unit: Uuid) -> Actor {
        let actor = self.member_of(home, "Lê Thị Cúc").await;
        self.grant(actor.id, role, Some(unit)).await;
        actor
    }

    /// A system administrator, who is no member.
    pub async fn administrator(&self) -> Actor {
        let now = self.app.state.clock.now();
        let id = new_id(now);
        let mut conn = self.app.state.db.conn().await.unwrap();
        diesel::insert_into(accounts::table)
            .values((
                accounts::id.eq(id),
                accounts::kind.eq("administrator"),
                accounts::display_name.eq("Quản trị"),
                accounts::created_at.eq(now),
            ))
            .execute(&mut *conn)
            .await
            .unwrap();
        self.grant(id, Role::SystemAdministrator, None).await;
        self.sign_in(id).await
    }

    pub async fn member_of(&self, cell: Uuid, name: &str) -> Actor {
        self.member_since(cell, name, "2025-01-01".parse().unwrap()).await
    }

    /// A member whose membership begins on a day, entered into the system on that day.
    pub async fn member_since(&self, cell: Uuid, name: &str, since: NaiveDate) -> Actor {
        let day = since.and_time(NaiveTime::MIN).and_local_timezone(VIET_NAM).unwrap().to_utc();
        let entered = day.min(self.app.state.clock.now());
        let number = format!("{:012}", NUMBER.fetch_add(1, Ordering::SeqCst));
        let person = NewMember {
            full_name: name.to_owned(),
            birth_date: "1980-05-19".parse().unwrap(),
            sex: "female",
            admitted_on: "2005-02-03".parse().unwrap(),
            official_on: Some("2006-02-03".parse().unwrap()),
            citizen_id: number,
            card_number: None,
            phone: None,
        };
        let mut conn = self.app.state.db.conn().await.unwrap();
        let ids =
            admit(&mut conn, &self.app.state.crypto, &[person], cell, Origin::Admitted, since, entered).await.unwrap();
        drop(conn);
        self.sign_in(ids[0]).await
    }

    pub async fn grant(&self, account: Uuid, role: Role, unit: Option<Uuid>) {
        let now = self.app.state.clock.now();
        let mut conn = self.app.state.db.conn().await.unwrap();
        diesel::insert_into(grants::table)
            .values((
                grants::id.eq(new_id(now)),
                grants::account_id.eq(account),
                grants::role.eq(role.as_str()),
                grants::unit_id.eq(unit),
                grants::valid_from.eq("2025-01-01".parse::<NaiveDate>().unwrap()),
                grants::created_at.eq(now),
            ))
            .execute(&mut *conn)
            .await
            .unwrap();
    }

    /// A session and a token good for a year, without the password dance.
    pub async fn sign_in(&self, account: Uuid) -> Actor {
        let now = self.app.state.clock.now();
        let session = new_id(now);
        let mut conn = self.app.state.db.conn().await.unwrap();
        diesel::insert_into(sessions::table)
            .values((
                sessions::id.eq(session),
                sessions::account_id.eq(account),
                sessions::device_name.eq("thử nghiệm"),
                sessions::created_at.eq(now),
                sessions::last_used_at.eq(now),
                sessions::expires_at.eq(now + chrono::Duration::days(365)),
                sessions::generation.eq(0),
                sessions::rotated_at.eq(now),
            ))
            .execute(&mut *conn)
            .await
            .unwrap();
        let until = now + chrono::Duration::days(365);
        let claims = Claims::first_party(account, session, now.timestamp(), until.timestamp());
        let token = self.app.state.keys.current().sign(&claims).unwrap();
        Actor { id: account, session, token, base_url: self.app.base_url.clone() }
    }
}

async fn unit(app: &TestApp, name: &str, kind: &str, parent_id: Option<Uuid>) -> Uuid {
    let new = NewUnit {
        name: name.to_owned(),
        kind: kind.to_owned(),
        parent_id,
        code: None,
        valid_from: "2020-01-01".parse().unwrap(),
    };
    let mut conn = app.state.db.conn().await.unwrap();
    create(&mut conn, &new, app.state.clock.now()).await.unwrap()
}

/// Has a second officer confirm what an answer says waits for one.
pub async fn confirmed(second: &Actor, proposed: Reply) -> Reply {
    let path = format!("/v1/decisions/{}/confirmation", proposed.expect(202).id());
    second.post(&path, &serde_json::json!({})).await.expect(200)
}

/// Has a second officer confirm all decisions of a kind that wait in a unit, fifty at a time. Returns how many there were.
pub async fn confirm_waiting(second: &Actor, unit: Uuid, kind: &str) -> usize {
    let list = second.get(&format!("/v1/units/{unit}/decisions?kind={kind}&limit=200")).await.expect(200).body;
    let ids: Vec<Value> = list["items"].as_array().unwrap().iter().map(|decision| decision["id"].clone()).collect();
    let path = format!("/v1/units/{unit}/decisions/confirmations");
    for some in ids.chunks(50) {
        let done = second.post(&path, &serde_json::json!({"decision_ids": some})).await.expect(200).body;
        for result in done["items"].as_array().unwrap() {
            assert_eq!(result["problem"], Value::Null, "{result}");
        }
    }
    ids.len()
}
