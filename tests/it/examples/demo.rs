//! What the demo answers to reads: the richest answer that any of its people gets.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sotay::demo::{self, Scale};

use super::{Examples, described, schema_name, tidy};
use crate::support::TestApp;

/// Where the ids of objects are found: the parameter, the list that has them, the field.
const LISTS: &[(&str, &str, &str)] = &[
    ("document_id", "/v1/documents?limit=2", "/items/1/id"),
    ("quiz_id", "/v1/quizzes", "/items/0/id"),
    ("member_id", "/v1/units/{cell}/members", "/items/9/id"),
    ("attempt_id", "/v1/me/quiz-attempts", "/items/0/id"),
    ("attestation_id", "/v1/attestations?unit_id={cell}", "/items/0/id"),
    ("adjustment_id", "/v1/point-adjustments?unit_id={cell}", "/items/0/id"),
    ("decision_id", "/v1/units/{cell}/decisions", "/items/0/id"),
    ("case_id", "/v1/cases?unit_id={cell}", "/items/0/id"),
    ("bank_id", "/v1/units/{ward}/question-banks", "/items/0/id"),
    ("period", "/v1/units/{cell}/closings", "/items/0/period"),
];

struct Recorder {
    app: TestApp,
    tokens: Vec<String>,
    ids: BTreeMap<&'static str, String>,
}

impl Recorder {
    async fn new() -> Self {
        let app = TestApp::start().await;
        demo::fill(&app.state, Scale::Ward).await.unwrap();
        let mut tokens = Vec::new();
        for user in demo::sign_ins(&app.state, Scale::Ward) {
            let body = json!({"login": user.login, "password": demo::PASSWORD, "device_name": "Điện thoại"});
            let reply = app.request("POST", "/v1/auth/sessions").json(&body).send().await.expect(201);
            tokens.push(reply.body["access_token"].as_str().unwrap().to_owned());
        }
        let mut recorder = Self { app, tokens, ids: BTreeMap::new() };
        recorder.look_up().await;
        recorder
    }

    async fn look_up(&mut self) {
        let me = self.richest("/v1/me").await.unwrap();
        self.ids.insert("cell", me["cell"]["id"].as_str().unwrap().to_owned());
        let units = self.richest("/v1/units?limit=200").await.unwrap();
        let ward = units["items"].as_array().unwrap().iter().find(|unit| unit["kind"] == "grassroots_committee");
        self.ids.insert("ward", ward.unwrap()["id"].as_str().unwrap().to_owned());
        for (name, list, field) in LISTS {
            let found = self.richest(&self.filled(list)).await;
            if let Some(id) = found.as_ref().and_then(|body| body.pointer(field)).and_then(Value::as_str) {
                self.ids.insert(*name, id.to_owned());
            }
        }
    }

    fn filled(&self, path: &str) -> String {
        self.ids.iter().fold(path.to_owned(), |path, (name, id)| path.replace(&format!("{{{name}}}"), id))
    }

    /// The longest of the answers that the people of the demo get.
    async fn richest(&self, path: &str) -> Option<Value> {
        let mut found: Option<(usize, Value)> = None;
        for token in &self.tokens {
            let reply = self.app.request("GET", path).token(token).send().await;
            if reply.status != 200 {
                continue;
            }
            let body = tidy::short(reply.body);
            let length = body.to_string().len();
            if found.as_ref().is_none_or(|(longest, _)| *longest < length) {
                found = Some((length, body));
            }
        }
        found.map(|(_, body)| body)
    }
}

/// Examples of what can be read.
pub async fn recorded() -> Examples {
    let recorder = Recorder::new().await;
    let mut lengths: BTreeMap<String, usize> = BTreeMap::new();
    let mut examples = Examples::new();
    for (path, _, operation) in described().filter(|(_, method, _)| *method == "get") {
        let Some(name) = schema_name(&operation["responses"]["200"]) else {
            continue;
        };
        for unit in ["cell", "ward"] {
            let path = recorder.filled(&path.replace("{unit_id}", &format!("{{{unit}}}")));
            if path.contains('{') {
                continue;
            }
            let Some(body) = recorder.richest(&path).await else {
                continue;
            };
            let (length, longest) = (body.to_string().len(), lengths.entry(name.clone()).or_default());
            if *longest < length {
                *longest = length;
                examples.insert(name.clone(), body);
            }
        }
    }
    examples
}
