//! Examples are short, the same at every recording, and without anything that looks like a secret.

use std::collections::HashMap;

use serde_json::{Value, json};
use uuid::Uuid;

/// Items of a list that are shown.
const ITEMS: usize = 2;
/// Characters of a text that are shown.
const CHARACTERS: usize = 240;

/// Values that differ at every recording or that look like secrets, by the name of the field.
const INSTEAD: &[(&str, &str)] = &[
    ("access_token", "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIwMTkyZjBjMSJ9.c2lnbmF0dXJl"),
    ("refresh_token", "AZqQ3x2kcAGyXw"),
    ("device_token", "AZqQ3x2kcAGyXw"),
    ("next_cursor", "eyJhIjoxfQ"),
    ("signature", "c2lnbmF0dXJl"),
    ("x", "cHVibGljIGtleQ"),
    ("password", "mùa thu năm ấy"),
    ("current_password", "mùa thu năm ấy"),
    ("new_password", "mùa thu năm nay"),
    ("client_secret", "c2VjcmV0"),
    ("secret", "whsec_c2VjcmV0"),
];

/// The first items of every list, the beginning of every text.
pub fn short(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().take(ITEMS).map(short).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, short(value))).collect(),
        Value::String(text) if text.chars().count() > CHARACTERS => {
            Value::String(text.chars().take(CHARACTERS - 1).chain(['…']).collect())
        }
        other => other,
    }
}

/// Numbers ids in the order in which they appear.
#[derive(Default)]
pub struct Numbers(HashMap<Uuid, usize>);

impl Numbers {
    pub fn tidy(&mut self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.tidy(item)),
            Value::Object(fields) => {
                for (name, value) in fields.iter_mut() {
                    match INSTEAD.iter().find(|(known, _)| known == name) {
                        Some((_, instead)) if value.is_string() => *value = json!(instead),
                        _ => self.tidy(value),
                    }
                }
            }
            Value::String(text) => *text = self.tidy_text(text),
            _ => {}
        }
    }

    fn tidy_text(&mut self, text: &str) -> String {
        if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned();
        }
        let mut made = String::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            match rest.get(..36).and_then(|part| Uuid::try_parse(part).ok()) {
                Some(id) => {
                    let next = self.0.len() + 1;
                    let number = *self.0.entry(id).or_insert(next);
                    made.push_str(&format!("0192f0c1-0000-7000-8000-{number:012x}"));
                    rest = &rest[36..];
                }
                None => {
                    made.push(c);
                    rest = &rest[c.len_utf8()..];
                }
            }
        }
        made
    }
}
