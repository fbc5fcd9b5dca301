//! Callers of every kind, and fresh objects for each of them to try an operation on.

use std::collections::HashMap;

use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use sotay::kernel::security::access::Role;
use uuid::Uuid;

use super::Operation;
use crate::decisions::confirm;
use crate::support::{Actor, Request, World};

/// Short name in the table, and who it is. The objects belong to the member of the cell.
pub const CALLERS: &[(&str, &str)] = &[
    ("anon", "nobody: no token"),
    ("self", "the member whose things they are"),
    ("peer", "another member of the same cell"),
    ("out", "a member of the sibling cell"),
    ("sec", "secretary of the cell"),
    ("sib", "secretary of the sibling cell"),
    ("com", "committee member of the cell"),
    ("min", "minute-taker of the cell"),
    ("ward", "committee officer of the ward"),
    ("prop", "propaganda officer of the ward"),
    ("org", "organisation officer of the ward"),
    ("insp", "inspector of the ward"),
    ("far", "committee officer of another ward"),
    ("admin", "system administrator"),
];

/// The callers in the order of the table.
pub async fn callers(world: &World) -> Vec<(&'static str, Option<Actor>)> {
    let officer = |role, unit| world.officer(world.other_cell, role, unit);
    let actors = [
        None,
        Some(world.member().await),
        Some(world.member().await),
        Some(world.outsider().await),
        Some(world.secretary().await),
        Some(world.officer(world.sibling, Role::CellSecretary, world.sibling).await),
        Some(world.officer(world.cell, Role::CellCommitteeMember, world.cell).await),
        Some(world.officer(world.cell, Role::MinuteTaker, world.cell).await),
        Some(officer(Role::CommitteeOfficer, world.ward).await),
        Some(officer(Role::PropagandaOfficer, world.ward).await),
        Some(officer(Role::OrganisationOfficer, world.ward).await),
        Some(officer(Role::Inspector, world.ward).await),
        Some(officer(Role::CommitteeOfficer, world.other_ward).await),
        Some(world.administrator().await),
    ];
    CALLERS.iter().map(|(short, _)| *short).zip(actors).collect()
}

/// The objects of one try.
pub struct Stage {
    ids: HashMap<&'static str, String>,
    cell: Uuid,
    sibling: Uuid,
}

fn of<'a>(callers: &'a [(&'static str, Option<Actor>)], name: &str) -> &'a Actor {
    callers.iter().find(|(short, _)| *short == name).and_then(|(_, actor)| actor.as_ref()).unwrap()
}

impl Stage {
    /// Makes what the operation's path names.
    pub async fn set(world: &World, callers: &[(&'static str, Option<Actor>)], operation: &Operation) -> Self {
        let (member, org, prop) = (of(callers, "self"), of(callers, "org"), of(callers, "prop"));
        let mut ids = HashMap::from([
            ("unit_id", world.cell.to_string()),
            ("member_id", member.id.to_string()),
            ("account_id", member.id.to_string()),
        ]);
        let path = operation.path.as_str();
        if path.contains("{document_id}") || path.starts_with("/v1/reading-sessions") {
            let document = draft(world, prop).await;
            if path.contains("{file_id}") {
                let pdf = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/12-KH-DU.pdf")).unwrap();
                let added = prop.request("POST", &format!("/v1/documents/{document}/files?filename=a.pdf"));
                ids.insert("file_id", added.bytes("application/pdf", pdf).send().await.expect(201).id());
            }
            if operation.id != "addDocumentFile" {
                let publication = json!({"unit_ids": [world.ward], "attests_no_state_secrets": true});
                prop.post(&format!("/v1/documents/{document}/publish"), &publication).await.expect(200);
            }
            if path.starts_with("/v1/reading-sessions") {
                let session =
                    member.post(&format!("/v1/documents/{document}/reading-sessions"), &json!({})).await.expect(201);
                ids.insert("session_id", session.id());
            }
            ids.insert("document_id", document);
        }
        if path.contains("{grant_id}") {
            let someone = world.member().await;
            let body = json!({"member_id": someone.id, "role": "minute_taker", "unit_id": world.cell});
            ids.insert("grant_id", org.post("/v1/grants", &body).await.expect(201).id());
        }
        if path.contains("{decision_id}") {
            let someone = world.member().await;
            let another = world.organisation_officer().await;
            let author = if path.ends_with("/withdrawal") { org } else { &another };
            let body = json!({"member_id": someone.id, "role": "cell_committee_member", "unit_id": world.cell});
            ids.insert("decision_id", author.post("/v1/grants", &body).await.expect(202).id());
        }
        if path.contains("{slip_id}") {
            let deputy = world.officer(world.cell, Role::DeputySecretary, world.cell).await;
            let slips = format!("/v1/members/{}/activation-slips", deputy.id);
            let asked = org.post(&slips, &json!({})).await.expect(202).body;
            confirm(of(callers, "ward"), &asked).await.expect(200);
            ids.insert("slip_id", asked["object_id"].as_str().unwrap().to_owned());
        }
        if path.contains("{exemption_id}") {
            let someone = world.member().await;
            world.exempt(someone.id).await;
            let list = org.get(&format!("/v1/members/{}/exemptions", someone.id)).await.expect(200).body;
            ids.insert("exemption_id", list["items"][0]["id"].as_str().unwrap().to_owned());
        }
        if path.contains("{transfer_id}") {
            let someone = world.member().await;
            let body = json!({"to_unit_id": world.sibling, "reason": "chuyển nơi ở"});
            let made =
                of(callers, "sec").post(&format!("/v1/members/{}/transfers", someone.id), &body).await.expect(201);
            ids.insert("transfer_id", made.id());
        }
        if path.contains("{reorganisation_id}") {
            let made = org.post("/v1/reorganisations", &merger(world.cell, world.sibling)).await.expect(201);
            ids.insert("reorganisation_id", made.id());
        }
        if path.contains("{change_id}") {
            let body = json!({"rule": "quiz_passed", "points": 5, "valid_from": "2027-01-01"});
            let changes = format!("/v1/units/{}/point-rule-changes", world.cell);
            ids.insert("change_id", of(callers, "ward").post(&changes, &body).await.expect(201).id());
        }
        if path.contains("{case_id}") {
            ids.insert("case_id", case(world).await);
        }
        if path.contains("{period}") {
            world.close_due().await;
            ids.insert("period", "2026-10".to_owned());
        }
        if let Some((name, id)) = officers_word(world, callers, path).await {
            ids.insert(name, id);
        }
        Self { ids, cell: world.cell, sibling: world.sibling }
    }

    /// The operation's path with ids; one's own sessions and notifications are each caller's own.
    pub async fn path(&self, operation: &Operation, caller: Option<&Actor>) -> String {
        let mut path = operation.path.clone();
        for (name, id) in &self.ids {
            path = path.replace(&format!("{{{name}}}"), id);
        }
        let own = caller.map_or_else(Uuid::nil, |actor| actor.session).to_string();
        path = path.replace("{session_id}", &own);
        match operation.id.as_str() {
            "importRoster" => format!("{path}?unit_id={}&dry_run=true", self.cell),
            "getDocumentReadership"
            | "listAuditEvents"
            | "listCases"
            | "listAttestations"
            | "listAdjustments"
            | "listAppeals" => format!("{path}?unit_id={}", self.cell),
            "addDocumentFile" => format!("{path}?filename=a.pdf"),
            _ => path,
        }
    }

    fn body(&self, operation: &Operation) -> Value {
        match operation.id.as_str() {
            "createGrant" => {
                json!({"member_id": self.ids["member_id"], "role": "minute_taker", "unit_id": self.cell})
            }
            "recordAttestation" => {
                let members = [&self.ids["member_id"]];
                json!({"unit_id": self.cell, "kind": "meeting_attended", "day": "2026-11-05", "subject": "Sinh hoạt", "member_ids": members})
            }
            "proposeAdjustment" => {
                json!({"period": "2026-11", "points": 3, "reason": "bỏ sót", "evidence": "biên bản"})
            }
            "proposeTransfer" => json!({"to_unit_id": self.sibling, "reason": "chuyển nơi ở"}),
            "publishDocument" => json!({"unit_ids": [self.cell], "attests_no_state_secrets": true}),
            "confirmDecisions" => json!({"decision_ids": [Uuid::from_u128(1)]}),
            "createUnit" => json!({"name": "Tổ mới", "kind": "cell", "parent_id": self.cell}),
            "createReorganisation" | "previewReorganisation" => merger(self.cell, self.sibling),
            _ => example(operation),
        }
    }
}

/// Planned for later, so that the next caller meets the same units.
fn merger(cell: Uuid, sibling: Uuid) -> Value {
    json!({"kind": "merge", "unit_ids": [cell], "into_unit_id": sibling, "effective_on": "2026-12-15", "reason": "sáp nhập"})
}

/// An open case of the cell, about no member.
async fn case(world: &World) -> String {
    let id = Uuid::now_v7();
    let mut conn = world.app.state.db.conn().await.unwrap();
    let query = format!(
        "INSERT INTO cases (id, kind, subject_id, unit_id, evidence, opened_at, state)
         VALUES ('{id}', 'regularity', '{id}', '{}', '{{}}', '2026-11-20', 'open')",
        world.cell
    );
    diesel::sql_query(query).execute(&mut *conn).await.unwrap();
    id.to_string()
}

/// A list, a proposal or an appeal that waits; what is to be withdrawn is the secretary's, the rest a deputy's.
async fn officers_word(
    world: &World,
    callers: &[(&'static str, Option<Actor>)],
    path: &str,
) -> Option<(&'static str, String)> {
    if !["{attestation_id}", "{adjustment_id}", "{appeal_id}"].iter().any(|name| path.contains(name)) {
        return None;
    }
    let someone = world.member().await;
    if path.contains("{appeal_id}") {
        let body = json!({"kind": "missing", "period": "2026-11", "text": "thiếu điểm"});
        return Some(("appeal_id", someone.post("/v1/me/appeals", &body).await.expect(201).id()));
    }
    let deputy = world.officer(world.cell, Role::DeputySecretary, world.cell).await;
    let author = if path.ends_with("/withdrawal") { of(callers, "sec") } else { &deputy };
    if path.contains("{attestation_id}") {
        let body = json!({"unit_id": world.cell, "kind": "meeting_attended", "day": "2026-11-05", "subject": "Sinh hoạt", "member_ids": [someone.id]});
        return Some(("attestation_id", author.post("/v1/attestations", &body).await.expect(201).id()));
    }
    let body = json!({"period": "2026-11", "points": 3, "reason": "bỏ sót", "evidence": "biên bản"});
    let made = author.post(&format!("/v1/members/{}/point-adjustments", someone.id), &body).await.expect(201);
    Some(("adjustment_id", made.id()))
}

/// A draft of the ward.
async fn draft(world: &World, prop: &Actor) -> String {
    let body = json!({"symbol": "1-KH/ĐU", "kind": "ke_hoach", "title": "Kế hoạch", "summary": "", "text": "Một hai ba.", "must_read_by": "2026-12-31"});
    prop.post(&format!("/v1/units/{}/documents", world.ward), &body).await.expect(201).id()
}

/// A body made of the examples of the required fields.
fn example(operation: &Operation) -> Value {
    let document = sotay::app::document();
    let reference = operation.spec.pointer("/requestBody/content/application~1json/schema/$ref");
    let Some(name) = reference.and_then(Value::as_str).and_then(|r| r.rsplit('/').next()) else {
        return json!({});
    };
    let schema = &document["components"]["schemas"][name];
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(field, _)| required.contains(&field.as_str()))
        .map(|(field, spec)| (field.clone(), spec["example"].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Adds the body that the operation takes.
pub fn bodies_for(operation: &Operation, stage: &Stage, request: Request) -> Request {
    let content = operation.spec.pointer("/requestBody/content").and_then(Value::as_object);
    let Some(media) = content.and_then(|content| content.keys().next()) else {
        return request;
    };
    match media.as_str() {
        "application/json" => request.header("If-Match", "*").json(&stage.body(operation)),
        "application/pdf" => {
            let pdf = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/12-KH-DU.pdf")).unwrap();
            request.bytes(media, pdf)
        }
        _ => {
            let roster = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/roster.xlsx")).unwrap();
            request.bytes(media, roster)
        }
    }
}
