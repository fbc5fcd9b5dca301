//! Schemas of the document: pages get names, unused ones go, every field gets its bounds.

use serde_json::{Map, Value, json};

/// Removes schemas without references: an item that appears only inside a page is inlined there.
pub fn drop_unused(document: &mut Value) {
    loop {
        let text = document.to_string();
        let Some(schemas) = document.pointer_mut("/components/schemas") else {
            return;
        };
        let Some(schemas) = schemas.as_object_mut() else {
            return;
        };
        let before = schemas.len();
        schemas.retain(|name, _| text.contains(&format!("\"#/components/schemas/{name}\"")));
        if schemas.len() == before {
            return;
        }
    }
}

/// Gives every schema in the document the bounds it does not state itself.
pub fn bound_all(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            // A map of properties may have a field called `type`; a schema's `type` is never an object.
            if fields.get("type").is_some_and(|t| t.is_string() || t.is_array()) && !fields.contains_key("in") {
                bound(fields);
            }
            for (name, field) in fields.iter_mut() {
                if !matches!(name.as_str(), "example" | "examples" | "default" | "enum") {
                    bound_all(field);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(bound_all),
        _ => {}
    }
}

fn bound(schema: &mut Map<String, Value>) {
    let is = |name: &str| match &schema["type"] {
        Value::String(one) => one == name,
        Value::Array(several) => several.iter().any(|t| t == name),
        _ => false,
    };
    let (string, integer, array) = (is("string"), is("integer"), is("array"));
    let mut default = |key: &str, value: Value| {
        schema.entry(key).or_insert(value);
    };
    if array {
        default("maxItems", json!(1000));
    }
    if integer {
        default("format", json!("int32"));
        default("minimum", json!(0));
        default("maximum", json!(i32::MAX));
    }
    if string && !schema.contains_key("enum") {
        let (min, max) = match schema.get("format").and_then(Value::as_str) {
            Some("uuid") => (Some(36), 36),
            Some("date") => (Some(10), 10),
            Some("date-time") => (None, 40),
            _ => (None, 500),
        };
        if let Some(min) = min {
            schema.entry("minLength").or_insert(json!(min));
        }
        schema.entry("maxLength").or_insert(json!(max));
        if !schema.contains_key("format") && !schema.contains_key("pattern") {
            schema.insert("pattern".to_owned(), json!("^[^\\u0000]*$"));
        }
    }
}
