//! Schemas of the document: pages get names, unused ones go, every field gets its bounds.

use std::collections::BTreeSet;

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

/// What only the server sends: a property that may be null is always there, and an enumeration may grow.
pub fn require_present(document: &mut Value) {
    let mut received = BTreeSet::new();
    for operation in document["paths"].as_object().into_iter().flatten().flat_map(|(_, item)| item.as_object()) {
        for operation in operation.values() {
            for part in ["requestBody", "parameters"] {
                note_referenced(&operation[part], &document["components"]["schemas"], &mut received);
            }
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object_mut().into_iter().flatten() {
        if !received.contains(name) {
            require_nullable(schema);
            open_enums(schema);
        }
    }
}

fn note_referenced(value: &Value, schemas: &Value, noted: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
            if let Some(name) = name.filter(|name| noted.insert((*name).to_owned())) {
                note_referenced(&schemas[name], schemas, noted);
            }
            fields.values().for_each(|field| note_referenced(field, schemas, noted));
        }
        Value::Array(items) => items.iter().for_each(|item| note_referenced(item, schemas, noted)),
        _ => {}
    }
}

fn require_nullable(schema: &mut Value) {
    if let Some(parts) = schema.get_mut("allOf").and_then(Value::as_array_mut) {
        parts.iter_mut().for_each(require_nullable);
    }
    let nullable = |property: &Value| {
        let is_null = |kind: &Value| kind == "null";
        property["type"].as_array().is_some_and(|types| types.iter().any(is_null))
            || property["oneOf"].as_array().is_some_and(|parts| parts.iter().any(|part| is_null(&part["type"])))
    };
    let names: Vec<Value> = schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, property)| {
            let known = schema["required"].as_array().is_some_and(|names| names.contains(&json!(name)));
            !known && nullable(property)
        })
        .map(|(name, _)| json!(name))
        .collect();
    if names.is_empty() {
        return;
    }
    match schema.get_mut("required").and_then(Value::as_array_mut) {
        Some(required) => required.extend(names),
        None => schema["required"] = names.into(),
    }
}

fn open_enums(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if fields.get("enum").is_some_and(Value::is_array)
                && let Some(values) = fields.remove("enum")
            {
                fields.insert("x-extensible-enum".to_owned(), values);
            }
            fields.values_mut().for_each(open_enums);
        }
        Value::Array(items) => items.iter_mut().for_each(open_enums),
        _ => {}
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
