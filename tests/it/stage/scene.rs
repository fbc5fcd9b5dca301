//! One request in all its parts, so that a test can send it whole or spoil one part.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Cast, Operation};
use crate::support::{Actor, Reply};

#[derive(Debug, Clone)]
pub enum Body {
    None,
    Json(Value),
    File { media: String, bytes: Vec<u8> },
}

/// A request to an operation, and who sends it.
#[derive(Clone)]
pub struct Scene<'a> {
    pub cast: &'a Cast,
    pub operation: &'a Operation,
    /// The caller's short name in the table.
    name: String,
    pub caller: Option<Actor>,
    pub ids: BTreeMap<String, String>,
    /// Names and values as they stand in the address.
    pub query: Vec<(String, String)>,
    pub headers: Vec<(&'static str, String)>,
    pub body: Body,
}

impl<'a> Scene<'a> {
    /// The request as far as it needs nothing but the cell and its member.
    pub fn new(cast: &'a Cast, operation: &'a Operation, caller: &str) -> Self {
        let mut scene = Self {
            cast,
            operation,
            name: caller.to_owned(),
            caller: cast.find(caller).cloned(),
            ids: BTreeMap::new(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Body::None,
        };
        let member = cast.actor("self").id;
        for (name, id) in [("unit_id", cast.world.cell), ("member_id", member), ("account_id", member)] {
            if scene.names(name) {
                scene.id(name, id);
            }
        }
        if operation.body_schema().is_some_and(|schema| schema["properties"].is_null()) {
            scene.json(json!({}));
        }
        if operation.parameters("header").any(|header| header["name"] == "If-Match") {
            scene.headers.push(("If-Match", "*".to_owned()));
        }
        let asks_of_unit = |query: &Value| {
            query["name"] == "unit_id" && (query["required"] == true || operation.id == "listAuditEvents")
        };
        if operation.parameters("query").any(asks_of_unit) {
            scene.query.push(("unit_id".to_owned(), cast.world.cell.to_string()));
        }
        scene
    }

    /// Whether the path has a parameter of this name.
    pub fn names(&self, parameter: &str) -> bool {
        self.operation.path.contains(&format!("{{{parameter}}}"))
    }

    pub fn id(&mut self, parameter: &str, id: impl ToString) {
        self.ids.insert(parameter.to_owned(), id.to_string());
    }

    pub fn json(&mut self, body: Value) {
        self.body = Body::Json(body);
    }

    pub fn file(&mut self, media: &str, bytes: Vec<u8>) {
        self.body = Body::File { media: media.to_owned(), bytes };
    }

    /// The same request by another caller of the cast.
    pub fn by(&self, caller: &str) -> Self {
        Self { name: caller.to_owned(), caller: self.cast.find(caller).cloned(), ..self.clone() }
    }

    /// The same request with another body.
    pub fn with_body(&self, body: Body) -> Self {
        Self { body, ..self.clone() }
    }

    /// The caller's account; none of any person without a token.
    pub fn account(&self) -> Uuid {
        self.caller.as_ref().map_or(Uuid::nil(), |actor| actor.id)
    }

    /// The member whom the request is about: the caller where the table means the caller's own things, otherwise a member of
    /// the cell to whom nothing has happened yet.
    pub async fn subject(&self) -> Uuid {
        match self.name.as_str() {
            "self" => self.account(),
            _ => self.cast.world.member().await.id,
        }
    }

    pub fn insist_that_it_is_whole(&self) {
        let id = &self.operation.id;
        let path = self.path();
        assert!(!path.contains('{'), "the stage of {id} does not know all of {path}");
        let takes_body = self.operation.spec.get("requestBody").is_some();
        assert_eq!(takes_body, !matches!(self.body, Body::None), "the body of {id}");
    }

    pub fn path(&self) -> String {
        let mut path = self.operation.path.clone();
        for (name, id) in &self.ids {
            path = path.replace(&format!("{{{name}}}"), id);
        }
        let query: Vec<String> = self.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }

    pub async fn send(&self) -> Reply {
        let (method, path) = (&self.operation.method, self.path());
        let mut request = match &self.caller {
            Some(actor) => actor.request(method, &path),
            None => self.cast.world.app.request(method, &path),
        };
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        match &self.body {
            Body::None => request,
            Body::Json(body) => request.json(body),
            Body::File { media, bytes } => request.bytes(media, bytes.clone()),
        }
        .send()
        .await
    }
}
