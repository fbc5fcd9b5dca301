//! The rules of the OpenAPI document, enforced: what it says of a body or a query is what the server checks.

use std::collections::HashMap;
use std::sync::Arc;

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{ValidationError, Validator};
use serde_json::{Map, Value, json};

use super::problem::{Code, Fault, Problem, Text, text};

/// What one operation accepts.
pub struct Operation {
    pub id: String,
    body: Option<Validator>,
    /// Whether an absent body counts as `{}`.
    body_optional: bool,
    query: Validator,
    query_types: HashMap<String, Value>,
}

/// All operations by method and path pattern.
#[derive(Default)]
pub struct Operations(HashMap<(String, String), Arc<Operation>>);

impl Operations {
    /// Reads them from the finished OpenAPI document.
    ///
    /// # Errors
    /// When a schema of the document is not a valid schema.
    pub fn from_document(document: &Value) -> Result<Self, String> {
        let mut operations = HashMap::new();
        let components = &document["components"];
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let made = Operation::new(operation, components)
                    .map_err(|e| format!("{method} {path}: {e}"))?;
                operations.insert((method.to_ascii_uppercase(), path.clone()), Arc::new(made));
            }
        }
        Ok(Self(operations))
    }

    pub fn find(&self, method: &str, pattern: &str) -> Option<Arc<Operation>> {
        self.0
            .get(&(method.to_owned(), pattern.to_owned()))
            .cloned()
    }
}

impl Operation {
    fn new(operation: &Value, components: &Value) -> Result<Self, String> {
        let body_schema = operation.pointer("/requestBody/content/application~1json/schema");
        let body = body_schema
            .map(|schema| compile(schema, components))
            .transpose()?;
        let body_optional = body
            .as_ref()
            .is_none_or(|validator| validator.is_valid(&json!({})));
        let mut properties = Map::new();
        let mut required = Vec::new();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] != "query" {
                continue;
            }
            if parameter["required"] == true {
                required.push(parameter["name"].clone());
            }
            properties.insert(
                parameter["name"].as_str().unwrap_or_default().to_owned(),
                parameter["schema"].clone(),
            );
        }
        let schema = json!({"type": "object", "additionalProperties": false, "required": required, "properties": properties});
        Ok(Self {
            id: operation["operationId"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            body,
            body_optional,
            query: compile(&schema, components)?,
            query_types: properties.into_iter().collect(),
        })
    }

    /// Checks a query string; every fault at once.
    pub fn check_query(&self, query: &str) -> Result<(), Problem> {
        if query.is_empty() && self.query_types.is_empty() {
            return Ok(());
        }
        let pairs: Vec<(String, String)> =
            actix_web::web::Query::<Vec<(String, String)>>::from_query(query)
                .map_err(|_| Problem::new(Code::MalformedBody))?
                .into_inner();
        let mut instance = Map::new();
        let mut faults = Vec::new();
        for (name, value) in pairs {
            let typed = match self
                .query_types
                .get(&name)
                .and_then(|schema| schema["type"].as_str())
            {
                Some("integer") => value
                    .parse::<i64>()
                    .map_or_else(|_| Value::from(value.as_str()), Value::from),
                Some("boolean") => value
                    .parse::<bool>()
                    .map_or_else(|_| Value::from(value.as_str()), Value::from),
                _ => Value::from(value.as_str()),
            };
            if instance.insert(name.clone(), typed).is_some() {
                faults.push(fault(
                    name,
                    "repeated",
                    text(
                        "Tham số chỉ được nêu một lần.",
                        "The parameter may be given once only.",
                    ),
                ));
            }
        }
        let instance = Value::Object(instance);
        collect_nuls(&instance, "", &mut faults);
        collect(&self.query, &instance, &mut faults);
        for fault in &mut faults {
            fault.pointer = fault.pointer.trim_start_matches('/').to_owned();
        }
        conclude(faults)
    }

    /// Reads a JSON body and checks it; every fault at once.
    pub fn check_body(&self, bytes: &[u8]) -> Result<Value, Problem> {
        let value = if bytes.is_empty() && self.body_optional {
            json!({})
        } else {
            serde_json::from_slice(bytes).map_err(|e| {
                Problem::with(
                    Code::MalformedBody,
                    format!(
                        "Nội dung không phải JSON hợp lệ (dòng {}, cột {}).",
                        e.line(),
                        e.column()
                    ),
                    format!(
                        "The body is not valid JSON (line {}, column {}).",
                        e.line(),
                        e.column()
                    ),
                )
            })?
        };
        let mut faults = Vec::new();
        collect_nuls(&value, "", &mut faults);
        if let Some(validator) = &self.body {
            collect(validator, &value, &mut faults);
        }
        conclude(faults).map(|()| value)
    }
}

fn compile(schema: &Value, components: &Value) -> Result<Validator, String> {
    let root = json!({"allOf": [schema], "components": components});
    jsonschema::options()
        .should_validate_formats(true)
        .build(&root)
        .map_err(|e| e.to_string())
}

fn conclude(mut faults: Vec<Fault>) -> Result<(), Problem> {
    const MOST: usize = 100;
    faults.truncate(MOST);
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Problem::faults(Code::InvalidRequest, faults))
    }
}

fn fault(pointer: String, code: &'static str, detail: Text) -> Fault {
    Fault {
        pointer,
        code,
        detail,
    }
}

/// PostgreSQL stores no NUL in text, and nobody types one.
fn collect_nuls(value: &Value, pointer: &str, faults: &mut Vec<Fault>) {
    match value {
        Value::String(s) if s.contains('\0') => {
            faults.push(fault(
                pointer.to_owned(),
                "nul",
                text(
                    "Không được chứa ký tự \\u0000.",
                    "The character \\u0000 is not allowed.",
                ),
            ));
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                collect_nuls(item, &format!("{pointer}/{i}"), faults);
            }
        }
        Value::Object(fields) => {
            for (name, item) in fields {
                if name.contains('\0') {
                    collect_nuls(&Value::from("\0"), pointer, faults);
                }
                collect_nuls(item, &format!("{pointer}/{name}"), faults);
            }
        }
        _ => {}
    }
}

fn collect(validator: &Validator, instance: &Value, faults: &mut Vec<Fault>) {
    for error in validator.iter_errors(instance) {
        describe(&error, faults);
    }
}

fn describe(error: &ValidationError<'_>, faults: &mut Vec<Fault>) {
    let at = error.instance_path().to_string();
    let (code, detail) = match error.kind() {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            faults.push(fault(
                format!("{at}/{name}"),
                "required",
                text("Thiếu trường bắt buộc.", "Required."),
            ));
            return;
        }
        Kind::AdditionalProperties { unexpected } => {
            for name in unexpected {
                let detail = text("Không có trường này.", "There is no such field.");
                faults.push(fault(
                    format!("{at}/{}", name.replace('\0', "")),
                    "unknown_field",
                    detail,
                ));
            }
            return;
        }
        Kind::Type { kind } => {
            let wanted = match kind {
                TypeKind::Single(one) => one.to_string(),
                TypeKind::Multiple(set) => set
                    .iter()
                    .map(|t| t.to_string())
                    .collect::<Vec<_>>()
                    .join(" | "),
            };
            (
                "type",
                text(
                    format!("Phải là kiểu {wanted}."),
                    format!("Must be of type {wanted}."),
                ),
            )
        }
        Kind::MaxLength { limit } => (
            "too_long",
            text(
                format!("Dài nhất {limit} ký tự."),
                format!("At most {limit} characters."),
            ),
        ),
        Kind::MinLength { limit } => (
            "too_short",
            text(
                format!("Ít nhất {limit} ký tự."),
                format!("At least {limit} characters."),
            ),
        ),
        Kind::Maximum { limit } => (
            "too_large",
            text(format!("Lớn nhất {limit}."), format!("At most {limit}.")),
        ),
        Kind::Minimum { limit } => (
            "too_small",
            text(format!("Nhỏ nhất {limit}."), format!("At least {limit}.")),
        ),
        Kind::MaxItems { limit } => (
            "too_many",
            text(
                format!("Nhiều nhất {limit} mục."),
                format!("At most {limit} items."),
            ),
        ),
        Kind::MinItems { limit } => (
            "too_few",
            text(
                format!("Ít nhất {limit} mục."),
                format!("At least {limit} items."),
            ),
        ),
        Kind::UniqueItems => (
            "repeated",
            text("Các mục không được trùng nhau.", "The items must differ."),
        ),
        Kind::Enum { options } => (
            "not_an_option",
            text(
                format!("Phải là một trong {options}."),
                format!("Must be one of {options}."),
            ),
        ),
        Kind::Format { format } => (
            "format",
            text(
                format!("Không đúng định dạng {format}."),
                format!("Not of the format {format}."),
            ),
        ),
        Kind::Pattern { pattern } => (
            "pattern",
            text(
                format!("Không khớp mẫu {pattern}."),
                format!("Does not match {pattern}."),
            ),
        ),
        _ => (
            "invalid",
            text("Giá trị không hợp lệ.", "The value is not valid."),
        ),
    };
    faults.push(fault(at, code, detail));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation() -> Operation {
        let operation = json!({
            "operationId": "x",
            "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 200}}],
            "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/In"}}}},
        });
        let components = json!({"schemas": {"In": {"type": "object", "additionalProperties": false, "required": ["a"],
            "properties": {"a": {"type": "string", "maxLength": 3}, "b": {"type": "integer"}}}}});
        Operation::new(&operation, &components).unwrap()
    }

    fn pointers(problem: Problem) -> Vec<(String, &'static str)> {
        problem
            .faults
            .into_iter()
            .map(|f| (f.pointer, f.code))
            .collect()
    }

    #[test]
    fn every_fault_of_a_body_is_named() {
        let problem = operation()
            .check_body(br#"{"a": "long", "b": "x", "c": 1}"#)
            .unwrap_err();
        let mut found = pointers(problem);
        found.sort();
        assert_eq!(
            found,
            [
                ("/a".into(), "too_long"),
                ("/b".into(), "type"),
                ("/c".into(), "unknown_field")
            ]
        );
        assert_eq!(
            pointers(operation().check_body(b"{}").unwrap_err()),
            [("/a".into(), "required")]
        );
        assert_eq!(
            pointers(operation().check_body(b"{\"a\": \"\\u0000\"}").unwrap_err()),
            [("/a".into(), "nul")]
        );
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        let deep = "[".repeat(10_000);
        for body in [&b"{"[..], b"\xff\xfe", deep.as_bytes(), b""] {
            assert_eq!(
                operation().check_body(body).unwrap_err().code,
                Code::MalformedBody
            );
        }
    }

    #[test]
    fn unknown_and_repeated_parameters_are_refused() {
        assert!(operation().check_query("limit=5").is_ok());
        assert_eq!(
            pointers(operation().check_query("limit=500").unwrap_err()),
            [("limit".into(), "too_large")]
        );
        assert_eq!(
            pointers(operation().check_query("limit=x").unwrap_err()),
            [("limit".into(), "type")]
        );
        assert_eq!(
            pointers(operation().check_query("y=1").unwrap_err()),
            [("y".into(), "unknown_field")]
        );
        assert_eq!(
            pointers(operation().check_query("limit=1&limit=2").unwrap_err()),
            [("limit".into(), "repeated")]
        );
    }
}
