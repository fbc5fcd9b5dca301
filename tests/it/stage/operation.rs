//! The operations of the document, and which of them can share a world.

use serde_json::Value;

use crate::support::World;

/// Reads that share a world; each write has one of its own.
const READS_TOGETHER: usize = 16;

/// An operation of the document.
pub struct Operation {
    pub id: String,
    pub method: String,
    pub path: String,
    pub spec: Value,
}

impl Operation {
    /// The schema of its JSON body, references followed.
    pub fn body_schema(&self) -> Option<Value> {
        let schema = self.spec.pointer("/requestBody/content/application~1json/schema")?;
        Some(resolved(schema).clone())
    }

    /// Its parameters in the query, in the path or in the headers.
    pub fn parameters(&self, place: &str) -> impl Iterator<Item = &Value> {
        self.spec["parameters"].as_array().into_iter().flatten().filter(move |parameter| parameter["in"] == place)
    }

    pub fn reads(&self) -> bool {
        self.method == "GET"
    }
}

/// The schema that a reference names, or the schema itself.
pub fn resolved(schema: &Value) -> &Value {
    match schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        Some(name) => resolved(&sotay::app::document()["components"]["schemas"][name]),
        None => schema,
    }
}

pub fn operations() -> Vec<Operation> {
    let document = sotay::app::document();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, spec) in item.as_object().unwrap() {
            let id = spec["operationId"].as_str().unwrap().to_owned();
            found.push(Operation { id, method: method.to_uppercase(), path: path.clone(), spec: spec.clone() });
        }
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found
}

/// All operations, those together that can share a world.
pub fn groups() -> Vec<Vec<Operation>> {
    let (reads, writes): (Vec<_>, Vec<_>) = operations().into_iter().partition(Operation::reads);
    let mut groups: Vec<Vec<Operation>> = writes.into_iter().map(|write| vec![write]).collect();
    let mut reads = reads.into_iter().peekable();
    while reads.peek().is_some() {
        groups.push(reads.by_ref().take(READS_TOGETHER).collect());
    }
    groups
}

/// The path of an operation: of the cell, otherwise of what is not there.
pub fn path_of_nothing(operation: &Operation, world: &World) -> String {
    let mut path = operation.path.replace("{unit_id}", &world.cell.to_string());
    while let (Some(open), Some(close)) = (path.find('{'), path.find('}')) {
        path.replace_range(open..=close, "0192f0c1-0000-7000-8000-000000000000");
    }
    path
}
