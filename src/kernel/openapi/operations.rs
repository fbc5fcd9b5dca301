//! Enforces the OpenAPI document: bodies and queries are checked against its schemas.

mod query;
mod texts;

use std::collections::HashMap;
use std::sync::Arc;

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{ValidationError, Validator};
use serde_json::{Map, Value, json};

use super::strict_json;
use crate::kernel::http::problem::{Code, Fault, Problem, Text, text};
use crate::kernel::http::rate_limit::BudgetPurpose;
use crate::kernel::security::scopes::AppAccess;

use texts::Texts;

/// Bodies other than files: more than most operations need.
pub const BODY_BYTES: usize = 256 * 1024;

/// What one operation accepts.
pub struct Operation {
    pub id: String,
    /// The longest body, bytes; an operation that needs more declares `x-body-bytes`.
    pub body_bytes: usize,
    /// What the body is, if there is one.
    pub body_kind: Option<BodyKind>,
    /// From which budget those pay who are not signed in.
    pub purpose: BudgetPurpose,
    /// Which apps of third parties it lets in.
    pub apps: AppAccess,
    /// How it says what is wrong.
    pub errors: ErrorStyle,
    body: Option<Validator>,
    /// Which of its texts take which form.
    texts: Texts,
    /// Whether an absent body counts as `{}`.
    body_optional: bool,
    /// Whether the body has no fields at all.
    bodiless: bool,
    query: Validator,
    query_types: HashMap<String, Value>,
}

/// How an operation says what is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorStyle {
    /// As problem+json.
    Problem,
    /// As the specifications of OAuth have it; parameters that are not known are ignored.
    Oauth,
    /// As a page for people; parameters that are not known are ignored.
    Page,
}

impl ErrorStyle {
    /// The one that an operation of the document names.
    pub fn of(operation: &Value) -> Self {
        match operation["x-errors"].as_str() {
            Some("oauth") => Self::Oauth,
            Some("page") => Self::Page,
            _ => Self::Problem,
        }
    }
}

/// What the body of an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    Json,
    Form,
    File,
}

/// All operations, by path pattern and then by method.
#[derive(Default)]
pub struct Operations(HashMap<Arc<str>, HashMap<String, Arc<Operation>>>);

impl Operations {
    /// Reads them from the finished OpenAPI document.
    ///
    /// # Errors
    /// When a schema of the document is not a valid schema.
    pub fn from_document(document: &Value) -> Result<Self, String> {
        let mut operations: HashMap<Arc<str>, HashMap<String, Arc<Operation>>> = HashMap::new();
        let components = &document["components"];
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let made = Operation::new(operation, components).map_err(|e| format!("{method} {path}: {e}"))?;
                operations.entry(path.as_str().into()).or_default().insert(method.to_ascii_uppercase(), Arc::new(made));
            }
        }
        Ok(Self(operations))
    }

    pub fn find(&self, method: &str, pattern: &str) -> Option<Arc<Operation>> {
        self.0.get(pattern)?.get(method).cloned()
    }

    /// The pattern with exactly this text.
    pub fn pattern(&self, text: &str) -> Option<Arc<str>> {
        self.0.get_key_value(text).map(|(pattern, _)| pattern.clone())
    }
}

impl Operation {
    fn new(operation: &Value, components: &Value) -> Result<Self, String> {
        let body_schema = operation.pointer("/requestBody/content/application~1json/schema");
        let body = body_schema.map(|schema| compile(schema, components)).transpose()?;
        let body_optional = body.as_ref().is_none_or(|validator| validator.is_valid(&json!({})));
        let body_kind = operation.get("requestBody").map(|_| match &body {
            Some(_) => BodyKind::Json,
            None if operation.pointer("/requestBody/content/application~1x-www-form-urlencoded").is_some() => {
                BodyKind::Form
            }
            None => BodyKind::File,
        });
        let bodiless = body.is_some() && has_no_fields(body_schema, components);
        let mut properties = Map::new();
        let mut required = Vec::new();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] != "query" {
                continue;
            }
            if parameter["required"] == true {
                required.push(parameter["name"].clone());
            }
            properties.insert(parameter["name"].as_str().unwrap_or_default().to_owned(), parameter["schema"].clone());
        }
        let schema =
            json!({"type": "object", "additionalProperties": false, "required": required, "properties": properties});
        Ok(Self {
            id: operation["operationId"].as_str().unwrap_or_default().to_owned(),
            body_bytes: operation["x-body-bytes"]
                .as_u64()
                .and_then(|bytes| usize::try_from(bytes).ok())
                .unwrap_or(BODY_BYTES),
            body_kind,
            purpose: operation["x-budget"].as_str().map_or(BudgetPurpose::Anonymous, BudgetPurpose::named),
            apps: AppAccess::of(&operation["security"]),
            errors: ErrorStyle::of(operation),
            body,
            texts: body_schema.map(|schema| Texts::of(schema, components)).unwrap_or_default(),
            body_optional,
            bodiless,
            query: compile(&schema, components)?,
            query_types: properties.into_iter().collect(),
        })
    }

    /// Checks a query string and reports every fault at once.
    pub fn check_query(&self, query: &str) -> Result<(), Problem> {
        if self.errors != ErrorStyle::Problem || (query.is_empty() && self.query_types.is_empty()) {
            return Ok(());
        }
        let mut instance = Map::new();
        let mut faults = Vec::new();
        for (name, value) in query::decode(query)? {
            let typed = self.typed(&name, &value);
            if instance.insert(name.clone(), typed).is_some() {
                faults.push(fault(
                    name,
                    "repeated",
                    text("Tham số chỉ được nêu một lần.", "The parameter may be given once only."),
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

    /// A parameter as its type has it.
    fn typed(&self, name: &str, value: &str) -> Value {
        match self.query_types.get(name).and_then(|schema| schema["type"].as_str()) {
            Some("integer") => value.parse::<i64>().map_or_else(|_| value.into(), Value::from),
            Some("boolean") => value.parse::<bool>().map_or_else(|_| value.into(), Value::from),
            _ => value.into(),
        }
    }

    /// Names what a request is about: the operation, and its parameters whatever way they are written. A parameter that
    /// says what holds without it is left out.
    ///
    /// # Errors
    /// 400 for a query that is not UTF-8.
    pub fn names<'a>(&self, path: impl Iterator<Item = (&'a str, &'a str)>, query: &str) -> Result<String, Problem> {
        let mut parameters: Vec<(String, String)> =
            path.map(|(name, value)| (name.to_owned(), canonical(&Value::from(value)))).collect();
        for (name, value) in query::decode(query)? {
            let typed = self.typed(&name, &value);
            if self.query_types.get(&name).is_none_or(|schema| schema["default"] != typed) {
                parameters.push((name, canonical(&typed)));
            }
        }
        parameters.sort();
        Ok(format!("{} {}", self.id, serde_json::to_string(&parameters).map_err(Problem::internal)?))
    }

    /// Reads a JSON body, brings its texts to one form and checks it; every fault at once.
    pub fn check_body(&self, bytes: &[u8]) -> Result<Value, Problem> {
        let (mut value, repeated) = if bytes.is_empty() && self.body_optional {
            (json!({}), Vec::new())
        } else {
            strict_json::parse(bytes).map_err(|e| {
                Problem::with(
                    Code::MalformedBody,
                    format!("Nội dung không phải JSON hợp lệ (dòng {}, cột {}).", e.line(), e.column()),
                    format!("The body is not valid JSON (line {}, column {}).", e.line(), e.column()),
                )
            })?
        };
        let mut faults: Vec<Fault> = repeated.into_iter().map(repeated_field).collect();
        collect_nuls(&value, "", &mut faults);
        self.texts.normalise(&mut value);
        if let (true, Some(fields)) = (self.bodiless, value.as_object()) {
            // The validator stops at the first of them.
            faults.extend(fields.keys().map(|name| unknown_field(format!("/{}", name.replace('\0', "")))));
        } else if let Some(validator) = &self.body {
            if self.texts.has_passwords() {
                let mut measured = value.clone();
                self.texts.measure(&mut measured);
                collect(validator, &measured, &mut faults);
            } else {
                collect(validator, &value, &mut faults);
            }
        }
        conclude(faults).map(|()| value)
    }
}

/// One spelling of a parameter: ids in the form that we give out.
fn canonical(value: &Value) -> String {
    match value {
        Value::String(text) => text.parse::<uuid::Uuid>().map_or_else(|_| text.clone(), |id| id.to_string()),
        other => other.to_string(),
    }
}

fn repeated_field(pointer: String) -> Fault {
    fault(pointer, "repeated", text("Trường chỉ được nêu một lần.", "The field may be given once only."))
}

fn has_no_fields(schema: Option<&Value>, components: &Value) -> bool {
    let name = schema.and_then(|schema| schema["$ref"].as_str()).and_then(|path| path.rsplit('/').next());
    let resolved = name.map_or(schema, |name| components.pointer(&format!("/schemas/{name}")));
    resolved.is_some_and(|schema| schema["properties"].as_object().is_none_or(Map::is_empty))
}

fn unknown_field(pointer: String) -> Fault {
    fault(pointer, "unknown_field", text("Không có trường này.", "There is no such field."))
}

fn compile(schema: &Value, components: &Value) -> Result<Validator, String> {
    let mut schemas = Map::new();
    take_referenced(schema, components, &mut schemas);
    let root = json!({"allOf": [schema], "components": {"schemas": schemas}});
    jsonschema::options().should_validate_formats(true).build(&root).map_err(|e| e.to_string())
}

/// Collects the schemas that a schema refers to, directly or indirectly. Each validator keeps its own copy: with all
/// schemas of the document in each of them they filled most of the program's memory.
fn take_referenced(schema: &Value, components: &Value, taken: &mut Map<String, Value>) {
    match schema {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
            if let Some(name) = name.filter(|name| !taken.contains_key(*name)) {
                let referenced = &components["schemas"][name];
                taken.insert(name.to_owned(), referenced.clone());
                take_referenced(referenced, components, taken);
            }
            fields.values().for_each(|value| take_referenced(value, components, taken));
        }
        Value::Array(items) => items.iter().for_each(|item| take_referenced(item, components, taken)),
        _ => {}
    }
}

fn conclude(mut faults: Vec<Fault>) -> Result<(), Problem> {
    const MOST: usize = 100;
    faults.truncate(MOST);
    if faults.is_empty() { Ok(()) } else { Err(Problem::faults(Code::InvalidRequest, faults)) }
}

fn fault(pointer: String, code: &'static str, detail: Text) -> Fault {
    Fault { pointer, code, detail }
}

/// PostgreSQL stores no NUL in text, and people do not type one.
fn collect_nuls(value: &Value, pointer: &str, faults: &mut Vec<Fault>) {
    match value {
        Value::String(s) if s.contains('\0') => {
            faults.push(fault(
                pointer.to_owned(),
                "nul",
                text("Không được chứa ký tự \\u0000.", "The character \\u0000 is not allowed."),
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

/// What is wrong within an object that may be null, rather than that it is neither an object of this kind nor null.
fn within<'a>(error: &'a ValidationError<'_>) -> Option<&'a [ValidationError<'static>]> {
    let Kind::OneOfNotValid { context } = error.kind() else { return None };
    let of_another_type = |inner: &ValidationError<'_>| {
        matches!(inner.kind(), Kind::Type { .. }) && inner.instance_path() == error.instance_path()
    };
    context.iter().find(|inner| !inner.is_empty() && !inner.iter().any(of_another_type)).map(Vec::as_slice)
}

fn describe(error: &ValidationError<'_>, faults: &mut Vec<Fault>) {
    if let Some(inner) = within(error) {
        inner.iter().for_each(|error| describe(error, faults));
        return;
    }
    let at = error.instance_path().to_string();
    let (code, detail) = match error.kind() {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            faults.push(fault(format!("{at}/{name}"), "required", text("Thiếu trường bắt buộc.", "Required.")));
            return;
        }
        Kind::AdditionalProperties { unexpected } => {
            faults.extend(unexpected.iter().map(|name| unknown_field(format!("{at}/{}", name.replace('\0', "")))));
            return;
        }
        Kind::Type { kind } => {
            let wanted = match kind {
                TypeKind::Single(one) => one.to_string(),
                TypeKind::Multiple(set) => set.iter().map(|t| t.to_string()).collect::<Vec<_>>().join(" | "),
            };
            ("type", text(format!("Phải là kiểu {wanted}."), format!("Must be of type {wanted}.")))
        }
        Kind::MaxLength { limit } => {
            ("too_long", text(format!("Dài nhất {limit} ký tự."), format!("At most {limit} characters.")))
        }
        Kind::MinLength { limit } => {
            ("too_short", text(format!("Ít nhất {limit} ký tự."), format!("At least {limit} characters.")))
        }
        Kind::Maximum { limit } => ("too_large", text(format!("Lớn nhất {limit}."), format!("At most {limit}."))),
        Kind::Minimum { limit } => ("too_small", text(format!("Nhỏ nhất {limit}."), format!("At least {limit}."))),
        Kind::MaxItems { limit } => {
            ("too_many", text(format!("Nhiều nhất {limit} mục."), format!("At most {limit} items.")))
        }
        Kind::MinItems { limit } => {
            ("too_few", text(format!("Ít nhất {limit} mục."), format!("At least {limit} items.")))
        }
        Kind::UniqueItems => ("repeated", text("Các mục không được trùng nhau.", "The items must differ.")),
        Kind::Enum { options } => {
            ("not_an_option", text(format!("Phải là một trong {options}."), format!("Must be one of {options}.")))
        }
        Kind::Format { format } => {
            ("format", text(format!("Không đúng định dạng {format}."), format!("Not of the format {format}.")))
        }
        Kind::Pattern { pattern } => {
            ("pattern", text(format!("Không khớp mẫu {pattern}."), format!("Does not match {pattern}.")))
        }
        _ => ("invalid", text("Giá trị không hợp lệ.", "The value is not valid.")),
    };
    faults.push(fault(at, code, detail));
}

#[cfg(test)]
mod tests;
