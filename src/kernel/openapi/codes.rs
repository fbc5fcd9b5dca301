//! The problem codes of each operation, with an example of each.

use serde_json::{Map, Value, json};

use super::EXAMPLE_HOST;
use crate::kernel::http::problem::{Code, Language};

/// Codes that an answer with this status can have whatever the operation is.
fn usual(status: u16, has_key: bool, has_body: bool) -> Vec<Code> {
    let when = |condition: bool, code: Code| condition.then_some(code);
    let codes = match status {
        400 => vec![Some(Code::InvalidRequest), when(has_body, Code::MalformedBody)],
        401 => vec![Some(Code::Unauthenticated)],
        403 => vec![Some(Code::Forbidden), Some(Code::InsufficientScope)],
        404 => vec![Some(Code::NotFound)],
        408 => vec![Some(Code::RequestTimeout)],
        409 => vec![Some(Code::Conflict), when(has_key, Code::IdempotencyInFlight)],
        412 => vec![Some(Code::PreconditionFailed)],
        413 => vec![Some(Code::TooLarge)],
        415 => vec![Some(Code::UnsupportedMediaType)],
        416 => vec![Some(Code::RangeNotSatisfiable)],
        422 => vec![Some(Code::RuleNotMet), when(has_key, Code::IdempotencyKeyReused)],
        429 => vec![Some(Code::TooManyRequests)],
        500 => vec![Some(Code::Internal)],
        503 => vec![Some(Code::Unavailable)],
        _ => Vec::new(),
    };
    codes.into_iter().flatten().collect()
}

/// Lists under each failure of an operation the codes it can have: the usual ones, and those that its description names.
pub fn list(operation: &mut Value) {
    let has_key = operation["parameters"].as_array().into_iter().flatten().any(|p| p["name"] == "Idempotency-Key");
    let has_body = operation.get("requestBody").is_some();
    for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
        let Some(status) = status.parse().ok().filter(|status| *status >= 400) else {
            continue;
        };
        let description = response["description"].as_str().unwrap_or_default().to_owned();
        let named = |code: &Code| code.status() == status && description.contains(&format!("`{}`", code.as_str()));
        let mut codes = usual(status, has_key, has_body);
        codes.extend(Code::ALL.iter().filter(|code| named(code)));
        codes.dedup();
        response["x-codes"] = codes.iter().map(|code| code.as_str()).collect();
        if let Some(content) = response.pointer_mut("/content/application~1problem+json") {
            content["examples"] =
                codes.iter().map(|code| (code.as_str().to_owned(), example(*code))).collect::<Map<_, _>>().into();
        }
    }
}

/// A problem with this code, as a client gets it.
fn example(code: Code) -> Value {
    let title = code.title();
    let mut value = json!({
        "type": format!("{EXAMPLE_HOST}/problems/{}", code.as_str()),
        "title": Language::Vietnamese.pick(&title),
        "status": code.status(),
        "code": code.as_str(),
        "request_id": "0199a3f07c1b",
    });
    if code == Code::InvalidRequest {
        value["detail"] = json!("Có 1 lỗi trong yêu cầu.");
        value["errors"] = json!([{"pointer": "/login", "code": "required", "detail": "Thiếu trường bắt buộc."}]);
    }
    json!({"summary": Language::English.pick(&title), "value": value})
}

/// Names all codes where a problem states its own. Clients must expect others.
pub fn name_all(document: &mut Value) {
    if let Some(code) = document.pointer_mut("/components/schemas/Problem/properties/code") {
        code["x-extensible-enum"] = Code::ALL.iter().map(|code| code.as_str()).collect();
    }
}
