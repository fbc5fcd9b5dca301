//! What one person tries with every account that they can enter.

use std::collections::HashMap;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::identity::support::{BIRTH, Person, redeem};
use crate::organisation::imports::{send, sheet};
use crate::support::{Actor, World};

/// Accounts from which the attacker acts at most.
const MOST_ACTORS: usize = 6;

/// What the attacker has and knows.
pub struct Attacker<'a> {
    world: &'a World,
    people: Vec<Uuid>,
    actors: Vec<Actor>,
    /// Citizen IDs and birth dates that were shown, or put in.
    data: HashMap<Uuid, (String, String)>,
    codes: Vec<(Uuid, String)>,
    numbers: u64,
    pub calls: usize,
    pub captured: usize,
}

impl<'a> Attacker<'a> {
    pub fn new(world: &'a World, people: Vec<Uuid>, first: Actor) -> Self {
        let (data, codes) = (HashMap::new(), Vec::new());
        Self { world, people, actors: vec![first], data, codes, numbers: 38_170_100_000, calls: 0, captured: 0 }
    }

    /// Everything each account tries in a round; those that are captured meanwhile try too.
    pub async fn play(&mut self, takes_roles: bool) {
        let mut turn = 0;
        while let Some(actor) = self.actors.get(turn).cloned() {
            if takes_roles {
                self.take_roles(&actor).await;
            }
            self.admit(&actor).await;
            self.change_people(&actor).await;
            self.change_rules(&actor).await;
            self.award(&actor).await;
            self.decide(&actor).await;
            self.capture().await;
            turn += 1;
        }
    }

    fn learn_code(&mut self, person: Uuid, reply: &Value) {
        if let Some(code) = reply["code"].as_str().filter(|code| code.len() == 14) {
            self.codes.push((person, code.to_owned()));
        }
    }

    fn number(&mut self) -> String {
        self.numbers += 1;
        format!("{:012}", self.numbers)
    }

    async fn post(&mut self, actor: &Actor, path: &str, body: &Value) -> Value {
        self.calls += 1;
        let reply = actor.post(path, body).await;
        assert!(reply.status < 500 && reply.status != 401, "{path}: {} {}", reply.status, reply.body);
        if reply.status < 300 { reply.body } else { Value::Null }
    }

    /// Takes the roles of all others away: who holds none gets a slip from one officer.
    async fn take_roles(&mut self, actor: &Actor) {
        for unit in [self.world.ward, self.world.cell] {
            let grants = actor.get(&format!("/v1/units/{unit}/grants?limit=200")).await.body;
            for grant in grants["items"].as_array().into_iter().flatten() {
                if grant["account_id"] != json!(self.actors[0].id) && grant["account_id"] != json!(actor.id) {
                    actor.delete(&format!("/v1/grants/{}", grant["id"].as_str().unwrap())).await;
                }
            }
        }
    }

    /// Admits somebody who does not exist.
    async fn admit(&mut self, actor: &Actor) {
        let citizen_id = self.number();
        let body = json!({"full_name": "Đinh Văn Không", "birth_date": BIRTH, "sex": "male", "admitted_on": "2005-02-03",
            "citizen_id": citizen_id});
        let path = format!("/v1/units/{}/members", self.world.cell);
        if let Some(id) = self.post(actor, &path, &body).await["id"].as_str().filter(|_| self.people.len() < 8) {
            let id = id.parse().unwrap();
            self.people.push(id);
            self.data.insert(id, (citizen_id, BIRTH.to_owned()));
        }
    }

    /// Looks up what a person proves themselves with, or else puts in something that is known.
    async fn learn_data(&mut self, actor: &Actor, member: Uuid) {
        let shown = actor.get(&format!("/v1/members/{member}?reveal=true")).await.body;
        if let (Some(number), Some(birth)) = (shown["citizen_id"].as_str(), shown["birth_date"].as_str()) {
            self.data.insert(member, (number.to_owned(), birth.to_owned()));
        }
        let number = self.number();
        let new = json!({"citizen_id": number, "birth_date": "1971-01-01", "phone": "0987000111"});
        let changed = actor.request("PATCH", &format!("/v1/members/{member}")).header("If-Match", "*").json(&new);
        let changed = changed.send().await;
        assert!(changed.status < 500, "{}", changed.body);
        if changed.status == 200 {
            self.data.insert(member, (number, "1971-01-01".to_owned()));
        }
    }

    async fn change_people(&mut self, actor: &Actor) {
        let world = self.world;
        for member in self.people.clone() {
            self.learn_data(actor, member).await;
            let slip = self.post(actor, &format!("/v1/members/{member}/activation-slips"), &json!({})).await;
            self.learn_code(member, &slip);
            for (role, unit) in [
                ("deputy_secretary", world.cell),
                ("cell_committee_member", world.cell),
                ("committee_officer", world.ward),
                ("organisation_officer", world.ward),
            ] {
                self.post(actor, "/v1/grants", &json!({"member_id": member, "role": role, "unit_id": unit})).await;
            }
            for kind in ["excused", "exempt"] {
                let body = json!({"kind": kind, "valid_from": "2026-11-01", "reason": "sức khỏe"});
                self.post(actor, &format!("/v1/members/{member}/exemptions"), &body).await;
            }
            let list = actor.get(&format!("/v1/members/{member}/exemptions")).await.body;
            for exemption in list["items"].as_array().into_iter().flatten() {
                let path = format!("/v1/exemptions/{}/end", exemption["id"].as_str().unwrap());
                self.post(actor, &path, &json!({"valid_to": "2026-11-19"})).await;
            }
        }
        let roster = [
            ["Đỗ Văn Sách", "01/02/1970", "Nam", "", "038170009001", "", "03/02/1995", "03/02/1996", "Phó bí thư", "x"],
            ["Đỗ Thị Vở", "05/06/1972", "Nữ", "", "038170009002", "", "03/02/1999", "03/02/2000", "Chi ủy viên", "x"],
        ];
        send(actor, &format!("unit_id={}&dry_run=false", world.cell), sheet(&roster)).await;
    }

    async fn change_rules(&mut self, actor: &Actor) {
        for unit in [self.world.cell, self.world.ward, self.world.province] {
            for (name, value) in
                [("threshold", 0), ("threshold", 90), ("threshold_floor", 0), ("excuse_days", 1), ("prorated", 0)]
            {
                let body = json!({"name": name, "value": value, "from": "2026-12"});
                self.post(actor, &format!("/v1/units/{unit}/point-parameters"), &body).await;
            }
        }
    }

    async fn award(&mut self, actor: &Actor) {
        let world = self.world;
        // One list each: those who are on a list do not confirm it.
        for member in self.people.clone().into_iter().filter(|id| *id != actor.id) {
            for kind in ["meeting_attended", "thematic_meeting_attended", "opinion_contributed"] {
                let body = json!({"unit_id": world.cell, "kind": kind, "day": "2026-11-18", "subject": "Sinh hoạt",
                    "member_ids": [member]});
                self.post(actor, "/v1/attestations", &body).await;
            }
            let body = json!({"period": "2026-11", "points": 9, "reason": "bỏ sót", "evidence": "biên bản"});
            self.post(actor, &format!("/v1/members/{member}/point-adjustments"), &body).await;
        }
        let missing = json!({"kind": "missing", "period": "2026-11", "object": "họp", "text": "Tôi có dự họp."});
        self.post(actor, "/v1/me/appeals", &missing).await;
    }

    /// Confirms whatever waits anywhere, by each way there is.
    async fn decide(&mut self, actor: &Actor) {
        let world = self.world;
        for (list, confirm) in [("attestations", "confirmation"), ("point-adjustments", "approval")] {
            let waiting = actor.get(&format!("/v1/{list}?unit_id={}&limit=200", world.ward)).await.body;
            let below = actor.get(&format!("/v1/{list}?unit_id={}&limit=200", world.cell)).await.body;
            for item in [waiting, below].iter().flat_map(|page| page["items"].as_array().into_iter().flatten()) {
                let path = format!("/v1/{list}/{}/{confirm}", item["id"].as_str().unwrap());
                self.post(actor, &path, &json!({})).await;
            }
        }
        let appeals = actor.get(&format!("/v1/appeals?unit_id={}&limit=200", world.ward)).await.body;
        for appeal in appeals["items"].as_array().into_iter().flatten() {
            let path = format!("/v1/appeals/{}/answer", appeal["id"].as_str().unwrap());
            self.post(actor, &path, &json!({"outcome": "upheld", "reason": "đúng"})).await;
        }
        for unit in [world.province, world.ward, world.cell] {
            let inbox = actor.get(&format!("/v1/units/{unit}/decisions?limit=200")).await.body;
            let items = inbox["items"].as_array().cloned().unwrap_or_default();
            for some in items.chunks(50) {
                let ids: Vec<&Value> = some.iter().map(|decision| &decision["id"]).collect();
                let path = format!("/v1/units/{unit}/decisions/confirmations");
                self.post(actor, &path, &json!({"decision_ids": ids})).await;
            }
            for decision in &items {
                if decision["kind"] != json!("role_holder_slip") {
                    continue;
                }
                let path = format!("/v1/decisions/{}/confirmation", decision["id"].as_str().unwrap());
                self.post(actor, &path, &json!({})).await;
                let slip = decision["object_id"].as_str().unwrap();
                let code = self.post(actor, &format!("/v1/activation-slips/{slip}/code"), &json!({})).await;
                self.learn_code(decision["subject_id"].as_str().unwrap().parse().unwrap(), &code);
            }
        }
    }

    /// Redeems what is known of slips, and acts from those accounts too.
    async fn capture(&mut self) {
        for (id, code) in std::mem::take(&mut self.codes) {
            let Some((citizen_id, birth)) = self.data.get(&id).cloned() else { continue };
            let victim = Person { id, citizen_id, phone: String::new() };
            let entered = redeem(&self.world.app, &code, &victim, &birth).await;
            if entered.status != 201 {
                continue;
            }
            self.captured += 1;
            // All sessions from before have ended.
            let fresh = self.world.sign_in(id).await;
            if let Some(actor) = self.actors.iter_mut().find(|actor| actor.id == id) {
                *actor = fresh;
            } else if self.actors.len() < MOST_ACTORS {
                self.actors.push(fresh);
            }
        }
    }

    /// Suspends, reinstates, sees off, transfers, merges.
    pub async fn turn_everything_over(&mut self) {
        let (cell, sibling) = (self.world.cell, self.world.sibling);
        let reason = json!({"reason": "nghi lộ mật khẩu"});
        for actor in self.actors.clone() {
            let mine: Vec<Uuid> = self.actors.iter().map(|actor| actor.id).collect();
            for member in self.people.clone().into_iter().filter(|member| !mine.contains(member)) {
                self.post(&actor, &format!("/v1/accounts/{member}/suspension"), &reason).await;
                let slip = self.post(&actor, &format!("/v1/members/{member}/activation-slips"), &json!({})).await;
                self.learn_code(member, &slip);
                self.post(&actor, &format!("/v1/accounts/{member}/reinstatement"), &reason).await;
                for to in [cell, sibling] {
                    let way = json!({"to_unit_id": to, "reason": "chuyển nơi ở"});
                    let made = self.post(&actor, &format!("/v1/members/{member}/transfers"), &way).await;
                    if let Some(id) = made["id"].as_str() {
                        for second in self.actors.clone() {
                            self.post(&second, &format!("/v1/transfers/{id}/accept"), &json!({})).await;
                        }
                    }
                }
            }
            self.capture().await;
            let gone = json!({"reason": "left", "last_day": "2026-11-25"});
            if let Some(member) = self.people.iter().copied().find(|member| !mine.contains(member)) {
                self.post(&actor, &format!("/v1/members/{member}/departure"), &gone).await;
                self.post(&actor, &format!("/v1/accounts/{member}/reinstatement"), &reason).await;
            }
        }
    }

    /// Closes last month wherever possible, and opens it again from above.
    pub async fn close_and_reopen(&mut self) {
        for actor in self.actors.clone() {
            let path = format!("/v1/units/{}/closings", self.world.cell);
            self.post(&actor, &path, &json!({"period": "2026-11"})).await;
        }
        for actor in self.actors.clone() {
            let path = format!("/v1/units/{}/closings/2026-11/reopening", self.world.cell);
            self.post(&actor, &path, &json!({"reason": "bổ sung"})).await;
        }
    }

    /// Merges the cell into its sibling.
    pub async fn merge(&mut self) {
        let merger = json!({"kind": "merge", "unit_ids": [self.world.cell], "into_unit_id": self.world.sibling,
            "reason": "Quyết định số 12"});
        for actor in self.actors.clone() {
            self.post(&actor, "/v1/reorganisations", &merger).await;
        }
    }
}
