//! A search for chains of permitted calls by which one person moves what takes two officers.
//!
//! The person tries every call of their account, signs in as each person they can capture, waits until the rest is over, and
//! tries again.

use std::collections::{HashMap, HashSet, VecDeque};

use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use sotay::kernel::access::Role;
use uuid::Uuid;

use crate::identity::support::{BIRTH, Person, person, redeem};
use crate::organisation::imports::{send, sheet};
use crate::support::{Actor, World};

/// Rounds; three days pass between two of them.
const ROUNDS: usize = 3;
/// Accounts from which the attacker acts at most.
const MOST_ACTORS: usize = 6;

#[derive(QueryableByName)]
struct Content {
    #[diesel(sql_type = Text)]
    content: String,
}

/// Everything that takes two officers, as it stands.
const FIGURES: &[(&str, &str)] = &[
    ("ledger", "SELECT member_id, rule_code, object_id, points FROM point_entries"),
    ("months", "SELECT member_id, period, points FROM member_months WHERE points <> 0"),
    ("thresholds", "SELECT unit_id, name, value, valid_from FROM point_parameters WHERE name = 'threshold'"),
    ("standing", "SELECT member_id, kind, valid_from, valid_to FROM exemptions"),
    (
        "roles",
        "SELECT account_id, role, unit_id FROM grants WHERE revoked_at IS NULL AND (valid_to IS NULL OR valid_to > '2026-11-20')
            AND role NOT IN ('minute_taker', 'propaganda_officer')",
    ),
];

async fn figures(world: &World) -> Vec<(&'static str, HashSet<String>)> {
    let mut conn = world.app.state.db.conn().await.unwrap();
    let mut all = Vec::new();
    for (name, query) in FIGURES {
        let rows: Vec<Content> = diesel::sql_query(format!("SELECT to_jsonb(x)::text AS content FROM ({query}) x"))
            .load(&mut *conn)
            .await
            .unwrap();
        all.push((*name, rows.into_iter().map(|row| row.content).collect()));
    }
    all
}

/// What the attacker has and knows.
struct Attacker<'a> {
    world: &'a World,
    people: &'a [Person],
    actors: VecDeque<Actor>,
    /// Citizen IDs and birth dates that were shown.
    data: HashMap<Uuid, String>,
    codes: Vec<(Uuid, String)>,
    calls: usize,
}

impl Attacker<'_> {
    fn learn_code(&mut self, person: Uuid, reply: &Value) {
        if let Some(code) = reply["code"].as_str().filter(|code| code.len() == 14) {
            self.codes.push((person, code.to_owned()));
        }
    }

    async fn post(&mut self, actor: &Actor, path: &str, body: &Value) -> Value {
        self.calls += 1;
        let reply = actor.post(path, body).await;
        assert!(reply.status < 500, "{path}: {}", reply.body);
        if reply.status < 300 { reply.body } else { Value::Null }
    }

    /// Everything one account tries in a round.
    async fn try_all(&mut self, actor: &Actor) {
        self.change_people(actor).await;
        self.change_rules(actor).await;
        self.award(actor).await;
        self.decide(actor).await;
        self.capture().await;
    }

    async fn change_people(&mut self, actor: &Actor) {
        let world = self.world;
        for person in self.people {
            let member = person.id;
            let shown = actor.get(&format!("/v1/members/{member}?reveal=true")).await;
            if let Some(number) = shown.body["citizen_id"].as_str() {
                self.data.insert(member, number.to_owned());
            }
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
            for (value, from) in [(0, "2026-11"), (0, "2026-12"), (90, "2026-12")] {
                let body = json!({"name": "threshold", "value": value, "from": from, "reason": "đợt cao điểm"});
                let path = format!("/v1/units/{unit}/point-parameters");
                if self.post(actor, &path, &body).await.is_null() {
                    self.post(actor, &path, &json!({"name": "threshold", "value": value, "from": from})).await;
                }
            }
        }
    }

    async fn award(&mut self, actor: &Actor) {
        let world = self.world;
        let members: Vec<Uuid> = self.people.iter().map(|person| person.id).filter(|id| *id != actor.id).collect();
        for kind in ["meeting_attended", "thematic_meeting_attended", "opinion_contributed"] {
            let body = json!({"unit_id": world.cell, "kind": kind, "day": "2026-11-18", "subject": "Sinh hoạt", "member_ids": members});
            self.post(actor, "/v1/attestations", &body).await;
        }
        for member in members {
            let body = json!({"period": "2026-11", "points": 9, "reason": "bỏ sót", "evidence": "biên bản"});
            self.post(actor, &format!("/v1/members/{member}/point-adjustments"), &body).await;
        }
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
        for unit in [world.province, world.ward, world.cell] {
            let inbox = actor.get(&format!("/v1/units/{unit}/decisions?limit=200")).await.body;
            let items = inbox["items"].as_array().cloned().unwrap_or_default();
            for some in items.chunks(50) {
                let ids: Vec<&Value> = some.iter().map(|decision| &decision["id"]).collect();
                let path = format!("/v1/units/{unit}/decisions/confirmations");
                self.post(actor, &path, &json!({"decision_ids": ids})).await;
            }
            for decision in items {
                let path = format!("/v1/decisions/{}/confirmation", decision["id"].as_str().unwrap());
                self.post(actor, &path, &json!({})).await;
                let slip = decision["object_id"].as_str().unwrap();
                let code = self.post(actor, &format!("/v1/activation-slips/{slip}/code"), &json!({})).await;
                if let Some(person) = decision["subject_id"].as_str() {
                    self.learn_code(person.parse().unwrap(), &code);
                }
            }
        }
    }

    /// Redeems what is known of slips, and acts from those accounts too.
    async fn capture(&mut self) {
        for (id, code) in std::mem::take(&mut self.codes) {
            let Some(citizen_id) = self.data.get(&id).cloned() else { continue };
            let victim = Person { id, citizen_id, phone: String::new() };
            let entered = redeem(&self.world.app, &code, &victim, BIRTH).await;
            let known = self.actors.iter().any(|actor| actor.id == id);
            if entered.status == 201 && !known && self.actors.len() < MOST_ACTORS {
                self.actors.push_back(self.world.sign_in(id).await);
            }
        }
    }
}

/// The people of the ward, each with a role in it, and two members without.
async fn cast(world: &World) -> Vec<Person> {
    let mut people = Vec::new();
    for (cell, role, unit) in [
        (world.cell, Some(Role::CellSecretary), world.cell),
        (world.cell, Some(Role::DeputySecretary), world.cell),
        (world.sibling, Some(Role::OrganisationOfficer), world.ward),
        (world.sibling, Some(Role::CommitteeOfficer), world.ward),
        (world.sibling, Some(Role::PropagandaOfficer), world.ward),
        (world.cell, None, world.cell),
        (world.cell, None, world.cell),
    ] {
        let someone = person(world, cell).await;
        if let Some(role) = role {
            world.grant(someone.id, role, Some(unit)).await;
        }
        people.push(someone);
    }
    world.exempt_from(people[6].id, "2026-11-10".parse().unwrap()).await;
    people
}

/// One person with the account of this one of the cast, or with an administrator's. Between the rounds, when `appointed`, two
/// honest officers give those roles whom the attacker may have captured.
async fn search(attacker: Option<usize>, appointed: bool) {
    let world = World::new().await;
    let people = cast(&world).await;
    let first = match attacker {
        Some(place) => world.sign_in(people[place].id).await,
        None => world.administrator().await,
    };
    let mut before = figures(&world).await;
    let (actors, data) = (VecDeque::from([first]), HashMap::new());
    let mut mind = Attacker { world: &world, people: &people, actors, data, codes: Vec::new(), calls: 0 };
    for round in 0..ROUNDS {
        let mut turn = 0;
        while let Some(actor) = mind.actors.get(turn).cloned() {
            mind.try_all(&actor).await;
            turn += 1;
        }
        if round == 0 && appointed {
            unmoved(&before, &figures(&world).await, attacker);
            world.grant(people[5].id, Role::DeputySecretary, Some(world.cell)).await;
            world.grant(people[6].id, Role::OrganisationOfficer, Some(world.ward)).await;
            before = figures(&world).await;
        }
        world.app.advance(73 * 3600);
    }
    assert!(mind.calls > 100, "{} calls", mind.calls);
    unmoved(&before, &figures(&world).await, attacker);
}

fn unmoved(before: &[(&str, HashSet<String>)], after: &[(&str, HashSet<String>)], attacker: Option<usize>) {
    for ((name, before), (_, after)) in before.iter().zip(after) {
        let moved: Vec<&String> = before.symmetric_difference(after).collect();
        assert!(moved.is_empty(), "attacker {attacker:?} alone moved {name}: {moved:#?}");
    }
}

#[actix_web::test]
async fn a_secretary_alone_moves_nothing() {
    search(Some(0), false).await;
    search(Some(0), true).await;
}

#[actix_web::test]
async fn a_deputy_alone_moves_nothing() {
    search(Some(1), true).await;
}

#[actix_web::test]
async fn an_organisation_officer_alone_moves_nothing() {
    search(Some(2), false).await;
    search(Some(2), true).await;
}

#[actix_web::test]
async fn a_committee_officer_alone_moves_nothing() {
    search(Some(3), false).await;
    search(Some(3), true).await;
}

#[actix_web::test]
async fn a_propaganda_officer_alone_moves_nothing() {
    search(Some(4), true).await;
}

#[actix_web::test]
async fn an_administrator_alone_moves_nothing() {
    search(None, false).await;
    search(None, true).await;
}
