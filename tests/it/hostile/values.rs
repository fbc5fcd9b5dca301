//! What a schema forbids: wrong values for a field or a parameter.

use serde_json::{Value, json};

use crate::stage::resolved;

/// The pattern that leaves out NUL alone.
const ANY_TEXT: &str = "^[^\\u0000]*$";
/// Texts of which every other pattern refuses one.
const ODD: [&str; 3] = ["?!", "/", " "];
/// Characters that are not seen: alone they are no text.
const INVISIBLE: &str = "\u{200b}\u{2060}\u{feff}";

/// A schema as the values for it depend on: references followed, and whether null is one of them.
pub struct Kind<'a> {
    pub schema: &'a Value,
    pub nullable: bool,
}

impl<'a> Kind<'a> {
    pub fn of(schema: &'a Value) -> Self {
        if let Some(choices) = schema["oneOf"].as_array() {
            let other = choices.iter().find(|choice| choice["type"] != "null").unwrap();
            return Self { nullable: true, ..Self::of(other) };
        }
        let schema = resolved(schema);
        let nullable = schema["type"].as_array().is_some_and(|types| types.contains(&json!("null")));
        Self { schema, nullable }
    }

    pub fn is(&self, name: &str) -> bool {
        match &self.schema["type"] {
            Value::Array(types) => types.iter().any(|one| one == name),
            one => one == name,
        }
    }

    pub fn number(&self, bound: &str) -> Option<i64> {
        self.schema[bound].as_i64()
    }

    pub fn length(&self, bound: &str) -> usize {
        self.number(bound).map_or(0, |number| usize::try_from(number).unwrap())
    }

    /// Whether any character is right that is no white space.
    pub fn takes_any_visible(&self) -> bool {
        self.schema["pattern"] == "\\S"
    }

    /// Whether it is a text that is not chosen from a list.
    fn is_free(&self) -> bool {
        self.is("string") && self.schema["enum"].is_null()
    }

    fn pattern(&self) -> Option<&'a str> {
        self.schema["pattern"].as_str().filter(|pattern| *pattern != ANY_TEXT)
    }
}

/// Wrong texts for a string: none that normalisation could make right.
pub fn wrong_texts(kind: &Kind<'_>) -> Vec<(&'static str, String)> {
    let mut found = vec![("NUL", "a\u{0}b".to_owned())];
    if kind.is_free() {
        found.push(("too long", "x".repeat(kind.length("maxLength") + 1)));
    }
    if kind.length("minLength") > 0 || kind.pattern().is_some() {
        found.push(("empty", String::new()));
    }
    if let Some(pattern) = kind.pattern() {
        let validator = jsonschema::validator_for(&json!({"pattern": pattern})).unwrap();
        let odd = ODD.iter().find(|odd| !validator.is_valid(&json!(odd)));
        let odd = odd.unwrap_or_else(|| panic!("nothing odd for {pattern}"));
        found.push(("another pattern", odd.repeat(kind.length("minLength").max(1))));
        if kind.schema["format"].is_null() {
            found.push(("invisible", INVISIBLE.repeat(kind.length("minLength").max(1))));
        }
    }
    if kind.schema["enum"].is_array() {
        found.push(("no option", "khong_co".to_owned()));
    }
    match kind.schema["format"].as_str() {
        Some("date") => found.push(("no date", "2026-02-30".to_owned())),
        Some("uuid") => found.push(("no id", "z".repeat(36))),
        _ => {}
    }
    found
}

/// Wrong JSON values for a field.
pub fn wrong_values(kind: &Kind<'_>) -> Vec<(&'static str, Value)> {
    let mut found = Vec::new();
    if !kind.nullable {
        found.push(("null", Value::Null));
    }
    if !kind.is("object") {
        found.push(("an object", json!({"a": 1})));
    }
    if kind.is("string") {
        found.extend(wrong_texts(kind).into_iter().map(|(what, text)| (what, json!(text))));
        found.extend([("a number", json!(7)), ("a truth", json!(true)), ("a list", json!(["a"]))]);
        return found;
    }
    found.extend([("NUL", json!("a\u{0}b")), ("a text", json!("x"))]);
    if kind.is("array") {
        found.extend(wrong_lists(kind));
        return found;
    }
    found.extend([("a list", json!([1])), ("a huge number", json!(1e300)), ("least", json!(i64::MIN))]);
    if kind.is("integer") {
        found.extend([("a fraction", json!(1.5)), ("a number as text", json!("1")), ("a truth", json!(true))]);
        let over = kind.number("maximum").map(|most| ("too large", json!(most + 1)));
        found.extend(over.into_iter().chain(kind.number("minimum").map(|least| ("too small", json!(least - 1)))));
    } else {
        found.push(("a number", json!(1)));
    }
    found
}

fn wrong_lists(kind: &Kind<'_>) -> Vec<(&'static str, Value)> {
    let items = Kind::of(&kind.schema["items"]);
    let mut found = vec![("a number", json!(1)), ("a list in a list", json!([[]]))];
    if kind.length("minItems") > 0 {
        found.push(("no items", json!([])));
    }
    found.push(("too many items", json!(vec![sample(&items); kind.length("maxItems") + 1])));
    // As many as the list needs, so that only the first is at fault.
    let others = vec![sample(&items); kind.length("minItems").saturating_sub(1)];
    let list = |item: Value| json!([vec![item], others.clone()].concat());
    found.extend(wrong_values(&items).into_iter().map(|(what, item)| (what, list(item))));
    found
}

/// A right value: the example, or what the format wants.
pub fn sample(kind: &Kind<'_>) -> Value {
    let schema = kind.schema;
    if kind.is("object") {
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        return required.map(|name| (name.to_owned(), sample(&Kind::of(&schema["properties"][name])))).collect();
    }
    if kind.is("array") {
        return json!(vec![sample(&Kind::of(&schema["items"])); kind.length("minItems").max(1)]);
    }
    let example = [&schema["example"], &schema["examples"][0], &schema["enum"][0]];
    if let Some(example) = example.into_iter().find(|example| !example.is_null()) {
        return example.clone();
    }
    match schema["format"].as_str() {
        Some("uuid") => json!("01949d6c-7c00-7000-8000-000000000001"),
        Some("date") => json!("2026-11-20"),
        _ if kind.is("boolean") => json!(true),
        _ if kind.is("integer") => json!(kind.number("minimum").unwrap_or(1)),
        _ => json!("a"),
    }
}
