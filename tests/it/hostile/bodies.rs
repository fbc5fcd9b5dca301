//! Bodies that are whole and right but for one field, and bodies that no operation takes.

use serde_json::{Value, json};

use super::values::{Kind, sample, wrong_values};

/// A body, where its one fault is, and what it is.
pub struct Spoilt {
    /// JSON pointer of the spoilt field.
    pub pointer: String,
    pub what: &'static str,
    pub body: Value,
}

/// Every way to spoil one field of a right body.
pub fn spoilt(schema: &Value, right: &Value) -> Vec<Spoilt> {
    let mut found = Vec::new();
    spoil_object(&Kind::of(schema), (right, ""), right, &mut found);
    found
}

/// Spoils the fields of an object that stands, or will stand, at a place of the whole body.
fn spoil_object(kind: &Kind<'_>, (whole, at): (&Value, &str), object: &Value, found: &mut Vec<Spoilt>) {
    let mut add = |name: &str, what, object: Value| {
        found.push(Spoilt { pointer: format!("{at}/{name}"), what, body: with(whole, at, object) });
    };
    add("surplus", "an unknown field", with_field(object, "surplus", json!(1)));
    for required in kind.schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let mut object = object.clone();
        object.as_object_mut().unwrap().remove(required).expect("a right body has what is required");
        add(required, "missing", object);
    }
    for (name, schema) in fields(kind) {
        for (what, value) in wrong_values(&Kind::of(schema)) {
            add(name, what, with_field(object, name, value));
        }
    }
    for (name, schema) in fields(kind) {
        let (field, place) = (Kind::of(schema), format!("{at}/{name}"));
        if field.is("object") {
            let inner = sample(&field);
            let whole = with(whole, at, with_field(object, name, inner.clone()));
            spoil_object(&field, (&whole, &place), &inner, found);
        } else if field.is("array") && Kind::of(&field.schema["items"]).is("object") {
            let items = Kind::of(&field.schema["items"]);
            let inner = sample(&items);
            let whole =
                with(whole, at, with_field(object, name, json!(vec![inner.clone(); field.length("minItems").max(1)])));
            spoil_object(&items, (&whole, &format!("{place}/0")), &inner, found);
        }
    }
}

fn fields<'a>(kind: &Kind<'a>) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
    kind.schema["properties"].as_object().into_iter().flatten()
}

fn with_field(object: &Value, name: &str, value: Value) -> Value {
    let mut made = object.clone();
    made[name] = value;
    made
}

fn with(whole: &Value, at: &str, part: Value) -> Value {
    let mut made = whole.clone();
    *made.pointer_mut(at).expect("the place is there") = part;
    made
}

/// Bodies that no operation takes.
pub fn raw() -> Vec<(&'static str, Vec<u8>)> {
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let deep_object = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
    vec![
        ("not JSON", b"{".to_vec()),
        ("bad UTF-8", b"{\"login\": \"\xff\xfe\"}".to_vec()),
        ("nested arrays", deep.into_bytes()),
        ("nested objects", deep_object.into_bytes()),
        ("an array", b"[]".to_vec()),
        ("a number", b"1e400".to_vec()),
        ("null", b"null".to_vec()),
        ("an extra field", b"{\"surplus\": 1}".to_vec()),
        ("NUL in a name", b"{\"a\\u0000b\": 1}".to_vec()),
    ]
}
