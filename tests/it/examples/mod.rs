//! Examples of the document: recorded from the demo's data and from the stage, held against the schemas.
//! After a change of a type record them anew with `SOTAY_TEST_WRITE_EXAMPLES=1`, then make the document anew.

mod demo;
mod tidy;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::permissions::first_let_in;
use crate::stage::{self, Body, Cast, Operation};
use crate::support::strict_validator;

/// By the name of the schema.
type Examples = BTreeMap<String, Value>;

/// The schema that a body refers to.
fn schema_name(described: &Value) -> Option<String> {
    let path = described.pointer("/content/application~1json/schema/$ref")?.as_str()?;
    path.rsplit('/').next().map(str::to_owned)
}

/// The document's operations, every response written out.
fn described() -> impl Iterator<Item = (&'static str, &'static str, &'static Value)> {
    let paths = sotay::app::document()["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, item)| {
        let operations = item.as_object().unwrap().iter();
        operations.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

/// The schemas of an operation's bodies, requests and successes.
fn bodies(operation: &Value) -> Vec<&Value> {
    let responses = operation["responses"].as_object().unwrap();
    let successes = responses.iter().filter(|(status, _)| status.as_str() < "300").map(|(_, response)| response);
    operation.get("requestBody").into_iter().chain(successes).collect()
}

async fn staged(operations: Vec<Operation>) -> Vec<(String, Value)> {
    let cast = Cast::new().await;
    let mut found = Vec::new();
    for operation in &operations {
        let (_, _, spec) = described().find(|(_, _, spec)| spec["operationId"] == operation.id.as_str()).unwrap();
        let scene = stage::set(&cast, operation, first_let_in(&operation.id)).await;
        if let (Some(name), Body::Json(body)) = (schema_name(&spec["requestBody"]), &scene.body) {
            found.push((name, body.clone()));
        }
        let reply = scene.send().await;
        if let Some(name) = schema_name(&spec["responses"][reply.status.to_string()]) {
            found.push((name, reply.body));
        }
    }
    found
}

fn write(examples: &Examples) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/examples.json");
    std::fs::write(path, serde_json::to_string_pretty(examples).unwrap() + "\n").unwrap();
}

#[test]
fn examples_are_recorded_when_asked_for() {
    if std::env::var_os("SOTAY_TEST_WRITE_EXAMPLES").is_none() {
        return;
    }
    let mut examples = actix_web::rt::System::new().block_on(demo::recorded());
    for (name, body) in stage::in_worlds(staged).into_iter().flatten() {
        let body = tidy::short(body);
        examples.entry(name).or_insert(body);
    }
    let mut numbers = tidy::Numbers::default();
    examples.values_mut().for_each(|example| numbers.tidy(example));
    write(&examples);
}

#[test]
fn every_body_has_an_example_that_its_schema_allows() {
    // Until the first recording only those that are there are looked at.
    let recorded = include_str!("../../../openapi/examples.json").contains("\"SessionTokens\"");
    let schemas = &sotay::app::document()["components"]["schemas"];
    let mut wrong = Vec::new();
    for (path, method, operation) in described() {
        for body in bodies(operation) {
            let Some(content) = body.pointer("/content/application~1json") else {
                continue;
            };
            match content.get("example") {
                None if !recorded => {}
                None => wrong.push(format!("{method} {path}: no example of {}", content["schema"])),
                Some(example) => {
                    let validator = strict_validator(&content["schema"], schemas);
                    let faults =
                        validator.iter_errors(example).map(|e| format!("{method} {path} {}: {e}", e.instance_path()));
                    wrong.extend(faults);
                }
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "record the examples anew with SOTAY_TEST_WRITE_EXAMPLES=1:\n{}", wrong.join("\n"));
}
