//! Schemas of the reference: the fields of a body with their types, bounds and descriptions.

use maud::{Markup, html};
use serde_json::Value;

use crate::kernel::openapi::compact::resolved;
use crate::kernel::pages::visit::Visit;

use super::markdown;

/// Objects within objects are shown down to this depth.
const DEPTH: usize = 4;

/// The object that a schema describes: itself, the item of its list, or what it is when it is not null.
fn inner<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let schema = resolved(document, schema);
    if let Some(items) = schema.get("items") {
        return inner(document, items);
    }
    let parts = schema["oneOf"].as_array().into_iter().flatten();
    match parts.into_iter().find(|part| part["type"] != "null") {
        Some(part) => inner(document, part),
        None => schema,
    }
}

/// The fields of an object with those of its parts in order.
fn properties<'a>(document: &'a Value, schema: &'a Value) -> Vec<(&'a str, &'a Value, bool)> {
    let parts = schema["allOf"].as_array().into_iter().flatten();
    let of_parts = parts.flat_map(|part| properties(document, resolved(document, part)));
    let required = schema["required"].as_array();
    let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|known| known == name));
    let own = schema["properties"].as_object().into_iter().flatten();
    of_parts.chain(own.map(|(name, field)| (name.as_str(), field, is_required(name)))).collect()
}

/// The fields of a body.
pub fn fields(visit: &Visit, document: &Value, schema: &Value) -> Markup {
    below(visit, document, schema, 0)
}

fn below(visit: &Visit, document: &Value, schema: &Value, depth: usize) -> Markup {
    let object = inner(document, schema);
    let found = properties(document, object);
    html! {
        @if !found.is_empty() {
            dl {
                @for (name, field, required) in &found {
                    dt {
                        code { (name) } " " span.quiet { (shown_kind(document, field)) }
                        @if *required { " " span.required { (visit.pick("bắt buộc", "required")) } }
                    }
                    dd lang="en" {
                        (markdown::inline(description(document, field)))
                        @if depth < DEPTH && !properties(document, inner(document, field)).is_empty() {
                            details {
                                summary { (visit.pick("Các trường", "Fields")) }
                                (below(visit, document, field, depth + 1))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn description<'a>(document: &'a Value, field: &'a Value) -> &'a str {
    let own = field["description"].as_str();
    let parts = field["oneOf"].as_array().into_iter().flatten();
    let of_part = parts.into_iter().find_map(|part| part["description"].as_str());
    own.or(of_part).or_else(|| inner(document, field)["description"].as_str()).unwrap_or_default()
}

fn shown_kind(document: &Value, field: &Value) -> String {
    let is_list = resolved(document, field).get("items").is_some();
    let nullable = field["oneOf"].as_array().is_some_and(|parts| parts.iter().any(|part| part["type"] == "null"));
    let kind = kind(inner(document, field));
    let kind = if is_list { format!("[{kind}]") } else { kind };
    if nullable { format!("{kind} | null") } else { kind }
}

/// The type with its format, values and bounds.
pub fn kind(schema: &Value) -> String {
    let mut kind = match &schema["type"] {
        Value::String(one) => one.clone(),
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" | "),
        _ => "object".to_owned(),
    };
    let values = schema["enum"].as_array().or(schema["x-extensible-enum"].as_array());
    if let Some(values) = values {
        let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
        return format!("{kind}: {}", values.join(", "));
    }
    if let Some(format) = schema["format"].as_str() {
        kind = format!("{kind} ({format})");
    }
    let bound = |name: &str| schema[name].as_i64().filter(|value| *value != i64::from(i32::MAX));
    let bounds = [("≥", bound("minimum")), ("≤", bound("maximum"))];
    for (sign, value) in bounds {
        if let Some(value) = value {
            kind = format!("{kind} {sign} {value}");
        }
    }
    kind
}
