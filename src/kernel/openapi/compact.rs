//! The published form of the document: what several operations share stands once, as a component.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Less often than this, a part stays where it is.
const OFTEN: usize = 2;

/// Moves repeated responses and parameters into the components.
#[must_use]
pub fn compact(mut document: Value) -> Value {
    for (section, name) in [("responses", response_name as fn(&Value) -> String), ("parameters", parameter_name)] {
        let shared = shared(&mut document, section, name);
        each(&mut document, section, &mut |part| {
            if let Some(name) = shared.get(&part.to_string()) {
                *part = json!({"$ref": format!("#/components/{section}/{name}")});
            }
        });
        let components = shared.into_iter().filter_map(|(text, name)| Some((name, serde_json::from_str(&text).ok()?)));
        document["components"][section] = components.collect::<Map<_, _>>().into();
    }
    document
}

/// The part of the document that a reference names, or the part itself.
pub fn resolved<'a>(document: &'a Value, part: &'a Value) -> &'a Value {
    let named = part["$ref"].as_str().and_then(|path| document.pointer(path.trim_start_matches('#')));
    named.unwrap_or(part)
}

/// The names of repeated parts by their text.
fn shared(document: &mut Value, section: &str, name: impl Fn(&Value) -> String) -> BTreeMap<String, String> {
    let mut count: BTreeMap<String, (usize, String)> = BTreeMap::new();
    each(document, section, &mut |part| {
        count.entry(part.to_string()).or_insert_with(|| (0, name(part))).0 += 1;
    });
    let mut often: Vec<_> = count.into_iter().filter(|(_, (times, _))| *times >= OFTEN).collect();
    // The most frequent of one name gets it plain; the others get a number.
    often.sort_by(|(a, (m, _)), (b, (n, _))| n.cmp(m).then_with(|| a.cmp(b)));
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let numbered = often.into_iter().map(|(text, (_, name))| {
        let number = taken.entry(name.clone()).or_default();
        *number += 1;
        let name = if *number == 1 { name } else { format!("{name}{number}") };
        (text, name)
    });
    numbered.collect()
}

/// Visits every response or parameter of every operation.
fn each(document: &mut Value, section: &str, visit: &mut impl FnMut(&mut Value)) {
    let operations = document["paths"].as_object_mut().into_iter().flatten().flat_map(|(_, item)| item.as_object_mut());
    for operation in operations.flat_map(|item| item.values_mut()) {
        match operation.get_mut(section) {
            Some(Value::Object(parts)) => parts.values_mut().for_each(&mut *visit),
            Some(Value::Array(parts)) => parts.iter_mut().for_each(&mut *visit),
            _ => {}
        }
    }
}

/// A failure is called after its first code, a success after its schema.
fn response_name(response: &Value) -> String {
    let schema = response.pointer("/content/application~1json/schema/$ref").and_then(Value::as_str);
    match (response.pointer("/x-codes/0").and_then(Value::as_str), schema.and_then(|path| path.rsplit('/').next())) {
        (Some(code), _) => pascal_case(code),
        (None, Some(schema)) => format!("{schema}Reply"),
        (None, None) if response.get("content").is_some() => "File".to_owned(),
        (None, None) => "Empty".to_owned(),
    }
}

fn parameter_name(parameter: &Value) -> String {
    pascal_case(parameter["name"].as_str().unwrap_or_default())
}

fn pascal_case(name: &str) -> String {
    let words = name.split(['_', '-']).filter(|word| !word.is_empty());
    words.map(|word| word[..1].to_uppercase() + &word[1..].to_lowercase()).collect()
}
