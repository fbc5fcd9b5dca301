//! Examples of bodies, recorded from a running program by the test `examples`.

use std::sync::LazyLock;

use serde_json::{Map, Value};

/// By the name of the schema.
static RECORDED: LazyLock<Map<String, Value>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../openapi/examples.json")).unwrap_or_default());

/// Shows what an operation takes and what it answers. Failures have examples of their own.
pub fn attach(operation: &mut Value) {
    if let Some(body) = operation.get_mut("requestBody") {
        show(body);
    }
    for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
        if status.as_str() < "300" {
            show(response);
        }
    }
}

fn show(described: &mut Value) {
    let Some(content) = described.pointer_mut("/content/application~1json") else {
        return;
    };
    let name = content.pointer("/schema/$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
    if let Some(example) = name.and_then(|name| RECORDED.get(name)) {
        content["example"] = example.clone();
    }
}
