//! Brings the texts of a body to one form before they are checked, as the schema of each says.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::kernel::text;

/// Nesting of schemas that is followed; those that refer to themselves end somewhere.
const DEEPEST: usize = 16;

/// What a body has where.
#[derive(Debug, Default)]
pub(super) enum Texts {
    /// No text of people: numbers, ids, dates, options.
    #[default]
    None,
    /// A text of one line; every text that the document does not mark otherwise.
    Line,
    /// Marked by `contentMediaType: text/plain`.
    Lines,
    /// Marked by `format: password`. Kept as it came, since an old hash may be of that form.
    Password,
    Object(HashMap<String, Texts>),
    Array(Box<Texts>),
}

impl Texts {
    /// Reads a schema of the document.
    pub fn of(schema: &Value, components: &Value) -> Self {
        Self::within(schema, components, DEEPEST)
    }

    fn within(schema: &Value, components: &Value, depth: usize) -> Self {
        if depth == 0 {
            return Self::None;
        }
        let read = |schema: &Value| Self::within(schema, components, depth - 1);
        if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            return read(&components["schemas"][name]);
        }
        for choice in ["oneOf", "anyOf", "allOf"] {
            let parts = schema[choice].as_array().into_iter().flatten();
            if let Some(found) = parts.map(read).find(|texts| !matches!(texts, Self::None)) {
                return found;
            }
        }
        let is = |kind: &str| match &schema["type"] {
            Value::String(one) => one == kind,
            Value::Array(several) => several.iter().any(|one| one == kind),
            _ => false,
        };
        if is("object") {
            let fields = schema["properties"].as_object().into_iter().flatten();
            let known = fields.map(|(name, field)| (name.clone(), read(field)));
            Self::Object(known.filter(|(_, texts)| !matches!(texts, Self::None)).collect())
        } else if is("array") {
            Self::Array(Box::new(read(&schema["items"])))
        } else if is("string") {
            Self::of_string(schema)
        } else {
            Self::None
        }
    }

    fn of_string(schema: &Value) -> Self {
        if schema["contentMediaType"] == "text/plain" {
            return Self::Lines;
        }
        match schema["format"].as_str() {
            Some("password") => Self::Password,
            Some(_) => Self::None,
            None if schema["enum"].is_array() || !schema["const"].is_null() => Self::None,
            None => Self::Line,
        }
    }

    /// Brings the texts of a body to their forms.
    pub fn normalise(&self, value: &mut Value) {
        match (self, value) {
            (Self::Line, Value::String(text)) => *text = text::one_line(text),
            (Self::Lines, Value::String(text)) => *text = text::many_lines(text),
            (texts, value) => texts.descend(value, Self::normalise),
        }
    }

    /// Brings passwords to the form in which they are measured.
    pub fn measure(&self, value: &mut Value) {
        match (self, value) {
            (Self::Password, Value::String(password)) => *password = text::password(password),
            (texts, value) => texts.descend(value, Self::measure),
        }
    }

    /// Whether there is a password in the body.
    pub fn has_passwords(&self) -> bool {
        match self {
            Self::Password => true,
            Self::Object(fields) => fields.values().any(Self::has_passwords),
            Self::Array(items) => items.has_passwords(),
            Self::None | Self::Line | Self::Lines => false,
        }
    }

    fn descend(&self, value: &mut Value, each: impl Fn(&Self, &mut Value)) {
        match (self, value) {
            (Self::Object(fields), Value::Object(values)) => descend_fields(fields, values, each),
            (Self::Array(items), Value::Array(values)) => values.iter_mut().for_each(|value| each(items, value)),
            _ => {}
        }
    }
}

fn descend_fields(fields: &HashMap<String, Texts>, values: &mut Map<String, Value>, each: impl Fn(&Texts, &mut Value)) {
    for (name, value) in values {
        if let Some(texts) = fields.get(name) {
            each(texts, value);
        }
    }
}
