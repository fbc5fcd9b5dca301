//! The operations of the document, and which of them can share a world.

use std::sync::{LazyLock, Mutex};

use serde_json::Value;

use crate::support::World;

/// Reads that share a world; each write has one of its own.
const READS_TOGETHER: usize = 16;
/// Worlds at a time.
const WORLDS: usize = 3;

/// The document that clients have. A bound that the program has lost since is still in it.
static CHECKED_IN: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../openapi/sotay.json")).unwrap());

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
        let parameters = self.spec["parameters"].as_array().into_iter().flatten().map(resolved);
        parameters.filter(move |parameter| parameter["in"] == place)
    }

    pub fn reads(&self) -> bool {
        self.method == "GET"
    }
}

/// The part of the document that a reference names, or the part itself.
pub fn resolved(part: &Value) -> &Value {
    match part["$ref"].as_str() {
        Some(reference) => resolved(CHECKED_IN.pointer(reference.trim_start_matches('#')).unwrap()),
        None => part,
    }
}

/// All operations of the program, as the document that clients have describes them.
pub fn operations() -> Vec<Operation> {
    let document = sotay::app::document();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, spec) in item.as_object().unwrap() {
            let id = spec["operationId"].as_str().unwrap().to_owned();
            let spec = CHECKED_IN["paths"][path][method].clone();
            assert!(
                spec.is_object(),
                "openapi/sotay.json does not have {id}: cargo run -- openapi > openapi/sotay.json"
            );
            found.push(Operation { id, method: method.to_uppercase(), path: path.clone(), spec });
        }
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found
}

/// Does the work for all operations, those together that can share a world. Worlds run beside each other as those of
/// tests do, each on a thread of its own: on one thread they would be late for each other's deadlines.
pub fn in_worlds<T: Send>(work: impl AsyncFn(Vec<Operation>) -> T + Sync) -> Vec<T> {
    let waiting = Mutex::new(groups());
    let next = || waiting.lock().unwrap().pop();
    let worker = || {
        let mut done = Vec::new();
        while let Some(group) = next() {
            done.push(actix_web::rt::System::new().block_on(work(group)));
        }
        done
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORLDS).map(|_| scope.spawn(worker)).collect();
        let joined = workers.into_iter().map(|worker| worker.join());
        joined.flat_map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

fn groups() -> Vec<Vec<Operation>> {
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
