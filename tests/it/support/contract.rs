//! Every reply that a test gets is held against the OpenAPI document: status, headers, media type, body.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use jsonschema::Validator;
use reqwest::header::HeaderMap;
use serde_json::{Map, Value, json};

/// Headers that belong to HTTP itself or to browsers and that no operation describes.
const UNDOCUMENTED: &[&str] = &[
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-security-policy",
    "content-type",
    "date",
    "referrer-policy",
    "transfer-encoding",
    "vary",
    "x-content-type-options",
];

/// What CORS adds for browsers, beside the one header that the document names.
const CORS: &str = "access-control-";

struct Header {
    required: bool,
    schema: Validator,
}

/// What the document says of one status of one operation.
struct Response {
    /// The problem codes that a failure may have.
    codes: Vec<String>,
    headers: HashMap<String, Header>,
    /// By media type; no validator for files.
    content: BTreeMap<String, Option<Validator>>,
}

struct Path {
    segments: Vec<String>,
    operations: HashMap<String, HashMap<String, Response>>,
}

static PATHS: LazyLock<Vec<Path>> = LazyLock::new(|| {
    let document = sotay::app::document();
    let paths = document["paths"].as_object().unwrap();
    let mut found: Vec<Path> = paths.iter().map(|(path, item)| read_path(path, item, document)).collect();
    // A path without parameters wins, as in the program.
    found.sort_by_key(|path| path.segments.iter().filter(|segment| segment.starts_with('{')).count());
    found
});

static PROBLEM: LazyLock<Validator> = LazyLock::new(|| {
    compile(&json!({"$ref": "#/components/schemas/Problem"}), &sotay::app::document()["components"]["schemas"])
});

fn read_path(path: &str, item: &Value, document: &Value) -> Path {
    let operations = item.as_object().unwrap().iter().map(|(method, operation)| {
        let responses = operation["responses"].as_object().unwrap();
        let read = responses.iter().map(|(status, response)| (status.clone(), read_response(response, document)));
        (method.to_uppercase(), read.collect())
    });
    Path { segments: path.split('/').map(str::to_owned).collect(), operations: operations.collect() }
}

fn read_response(response: &Value, document: &Value) -> Response {
    let schemas = &document["components"]["schemas"];
    let headers = response["headers"].as_object().into_iter().flatten().map(|(name, header)| {
        let header = match header["$ref"].as_str() {
            Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
            None => header,
        };
        let schema = compile(&header["schema"], schemas);
        (name.to_lowercase(), Header { required: header["required"] == true, schema })
    });
    let content = response["content"].as_object().into_iter().flatten().map(|(media, body)| {
        let validator = media.ends_with("json").then(|| compile(&body["schema"], schemas));
        (media.clone(), validator)
    });
    let codes = response["x-codes"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    Response { codes: codes.collect(), headers: headers.collect(), content: content.collect() }
}

/// The document lets clients ignore fields that they do not know; a test knows them all.
pub fn compile(schema: &Value, schemas: &Value) -> Validator {
    let mut root = strict(schema, schemas);
    let mut taken = Map::new();
    take_referenced(&root, schemas, &mut taken);
    root = json!({"allOf": [root], "components": {"schemas": taken}});
    jsonschema::options().should_validate_formats(true).build(&root).unwrap()
}

fn take_referenced(schema: &Value, schemas: &Value, taken: &mut Map<String, Value>) {
    match schema {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
            if let Some(name) = name.filter(|name| !taken.contains_key(*name)) {
                taken.insert(name.to_owned(), Value::Null);
                let referenced = strict(&schemas[name], schemas);
                take_referenced(&referenced, schemas, taken);
                taken.insert(name.to_owned(), referenced);
            }
            fields.values().for_each(|value| take_referenced(value, schemas, taken));
        }
        Value::Array(items) => items.iter().for_each(|item| take_referenced(item, schemas, taken)),
        _ => {}
    }
}

/// Closes every object. What is put together of several schemas is closed as a whole, its parts are not.
fn strict(schema: &Value, schemas: &Value) -> Value {
    match schema {
        Value::Object(fields) => {
            let mut made: Map<String, Value> = fields
                .iter()
                .map(|(name, value)| match (name.as_str(), value) {
                    ("allOf", Value::Array(parts)) => {
                        (name.clone(), parts.iter().map(|part| open(part, schemas)).collect())
                    }
                    _ => (name.clone(), strict(value, schemas)),
                })
                .collect();
            let describes_object =
                fields.get("properties").is_some_and(Value::is_object) || fields.contains_key("allOf");
            let is_schema = fields.get("type").is_some_and(|kind| !kind.is_object()) || fields.contains_key("allOf");
            // Clients must expect other values; a test knows them all.
            if let Some(values) = fields.get("x-extensible-enum") {
                made.insert("enum".to_owned(), values.clone());
            }
            if describes_object && is_schema && !fields.contains_key("additionalProperties") {
                made.insert("unevaluatedProperties".to_owned(), json!(false));
            }
            made.into()
        }
        Value::Array(items) => items.iter().map(|item| strict(item, schemas)).collect(),
        other => other.clone(),
    }
}

/// A part of a schema, written out and not closed itself.
fn open(part: &Value, schemas: &Value) -> Value {
    let referenced = part["$ref"].as_str().and_then(|path| path.rsplit('/').next()).map(|name| &schemas[name]);
    let mut made = strict(referenced.unwrap_or(part), schemas);
    if let Some(fields) = made.as_object_mut() {
        fields.remove("unevaluatedProperties");
    }
    made
}

/// What a test asked for.
pub struct Asked {
    pub method: String,
    pub url: String,
}

impl Asked {
    /// The segments of the path as the program reads them; none outside the documented part of the program.
    fn segments(&self) -> Option<Vec<String>> {
        let rest = self.url.split_once("://")?.1;
        let path = &rest[rest.find('/')?..];
        let path = path.split(['?', '#']).next()?;
        let segments: Vec<String> = path.split('/').map(decoded).collect();
        (segments.get(1).map(String::as_str) == Some("v1") || find(&segments).is_some()).then_some(segments)
    }
}

fn decoded(segment: &str) -> String {
    let bytes = segment.as_bytes();
    let (mut made, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let escape = (bytes[at] == b'%').then(|| segment.get(at + 1..at + 3)).flatten();
        match escape.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                made.push(byte);
                at += 3;
            }
            None => {
                made.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&made).into_owned()
}

fn find(segments: &[String]) -> Option<&'static Path> {
    PATHS.iter().find(|path| {
        path.segments.len() == segments.len()
            && path.segments.iter().zip(segments).all(|(wanted, found)| wanted.starts_with('{') || wanted == found)
    })
}

/// Every way in which a reply breaks the document; empty when it keeps it.
pub fn faults(asked: &Asked, status: u16, headers: &HeaderMap, bytes: &[u8]) -> Vec<String> {
    let Some(segments) = asked.segments() else {
        return Vec::new();
    };
    let is_head = asked.method == "HEAD";
    let method = if is_head { "GET" } else { asked.method.as_str() };
    let operation = find(&segments).and_then(|path| path.operations.get(method));
    // Preflights are answered for all paths alike.
    if method == "OPTIONS" {
        return Vec::new();
    }
    let Some(operation) = operation else {
        let mut faults = body_faults(&PROBLEM, bytes, is_head);
        if status < 400 {
            faults.push(format!("{status} of a path or method that the document does not have"));
        }
        return faults;
    };
    let Some(response) = operation.get(&status.to_string()) else {
        return vec![format!("status {status} is not documented")];
    };
    let mut faults = header_faults(response, headers);
    faults.extend(content_faults(response, headers, bytes, is_head));
    if status >= 400 && !is_head {
        let problem: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let code = problem["code"].as_str().unwrap_or_default();
        if !response.codes.iter().any(|known| known == code) {
            use std::io::Write;
            writeln!(
                std::fs::OpenOptions::new().create(true).append(true).open("/tmp/codes.log").unwrap(),
                "{method} {} {status} {code}",
                segments.join("/")
            )
            .unwrap();
        }
    }
    faults
}

fn header_faults(response: &Response, headers: &HeaderMap) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, value) in headers {
        let name = name.as_str();
        match response.headers.get(name) {
            Some(header) => {
                let text = value.to_str().unwrap_or_default();
                let value = text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number));
                if !header.schema.is_valid(&value) && !header.schema.is_valid(&json!(text)) {
                    faults.push(format!("header {name}: {text} is not as documented"));
                }
            }
            None if UNDOCUMENTED.contains(&name) || name.starts_with(CORS) => {}
            None => faults.push(format!("header {name} is not documented")),
        }
    }
    let missing = response.headers.iter().filter(|(name, header)| header.required && !headers.contains_key(*name));
    faults.extend(missing.map(|(name, _)| format!("header {name} is missing")));
    faults
}

fn content_faults(response: &Response, headers: &HeaderMap, bytes: &[u8], is_head: bool) -> Vec<String> {
    if response.content.is_empty() {
        return if bytes.is_empty() { Vec::new() } else { vec!["a body where none is documented".to_owned()] };
    }
    let media = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    match response.content.get(media) {
        None => vec![format!("media type `{media}` is not documented")],
        Some(None) => Vec::new(),
        Some(Some(_)) if headers.get("content-encoding").is_some_and(|encoding| encoding != "identity") => Vec::new(),
        Some(Some(validator)) => body_faults(validator, bytes, is_head),
    }
}

fn body_faults(validator: &Validator, bytes: &[u8], is_head: bool) -> Vec<String> {
    if is_head {
        return if bytes.is_empty() { Vec::new() } else { vec!["a body for HEAD".to_owned()] };
    }
    match serde_json::from_slice::<Value>(bytes) {
        Err(error) => vec![format!("the body is not JSON: {error}")],
        Ok(body) => {
            validator.iter_errors(&body).map(|error| format!("body{}: {error}", error.instance_path())).collect()
        }
    }
}
