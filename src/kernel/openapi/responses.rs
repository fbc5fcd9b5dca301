//! What all responses share in the document: headers, problem bodies, files as binary strings.

use serde_json::{Map, Value, json};

use super::operations::ErrorStyle;
use crate::kernel::extract::form::FORM;

/// Headers of every response.
const EVERYWHERE: &[&str] = &["Access-Control-Allow-Origin", "RateLimit", "RateLimit-Policy", "X-Request-Id"];
/// The largest response that is a file, bytes: as long as a 32-bit length tells.
const LARGEST_FILE: i32 = i32::MAX;

/// The headers that operations refer to. `required` says that every response which names the header carries it.
pub fn headers() -> Value {
    let header = |description: &str, required: bool, max: i32, pattern: &str, example: &str| {
        json!({"description": description, "required": required,
            "schema": {"type": "string", "maxLength": max, "pattern": pattern, "examples": [example]}})
    };
    json!({
        "Accept-Encoding": header("The codings that a request's body may have (RFC 9110 §12.5.3).", false, 100, "^.+$", "identity"),
        "Accept-Ranges": header("Parts of the file can be asked for in bytes.", true, 10, "^bytes$", "bytes"),
        "Access-Control-Allow-Origin": header("Which origins may read the answer in a browser; sent when the request has an `Origin`.", false, 200, "^.+$", "*"),
        "Content-Disposition": header("The name to save the file under (RFC 6266).", false, 2_000, "^attachment; filename=.+$", "attachment; filename=\"diem-2026-11.xlsx\""),
        "Client-Challenge": header("How a client authenticates (RFC 7617).", true, 100, "^Basic .*$", "Basic realm=\"oauth\", charset=\"UTF-8\""),
        "Content-Language": header("The language of `title` and `detail`.", true, 2, "^(vi|en)$", "vi"),
        "Content-Range": header("Which bytes these are, and how many the file has.", true, 100, "^bytes ([0-9]+-[0-9]+|\\*)/[0-9]+$", "bytes 0-1023/146515"),
        "ETag": header("Changes whenever the content does; send it back as `If-None-Match`.", true, 100, "^(W/)?\"[^\"]*\"$", "W/\"q1w2e3\""),
        "Idempotency-Replayed": header("`true` when this is the answer of an earlier request with the same `Idempotency-Key`.", false, 4, "^true$", "true"),
        "Location": header("Where the browser goes next.", true, 4_000, "^[A-Za-z][A-Za-z0-9+.-]*:.*$", "https://ban-tin.example/callback?code=SplxlOBeZQQYbYS6WxSbIA&state=af0ifjsldkj&iss=https%3A%2F%2Fsotay.example"),
        "Missing-Scope": header("For an app whose token lacks them: the scopes of which it needs one (RFC 6750 §3.1).", false, 300, "^Bearer error=.*$", "Bearer error=\"insufficient_scope\", scope=\"points:read\""),
        "RateLimit": header("Requests left (`r`) and the seconds (`t`) until the budget is full again.", true, 100, "^.+$", "\"default\";r=599;t=60"),
        "RateLimit-Policy": header("The budget: requests (`q`) in a window of seconds (`w`).", true, 100, "^.+$", "\"default\";q=600;w=60"),
        "Retry-After": {"description": "Seconds to wait before trying again.", "required": false,
            "schema": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 86400, "examples": [2]}},
        "Set-Cookie": header("Binds the page's form to the browser.", false, 500, "^.+$", "sotay-consent=AbC; Path=/; HttpOnly; SameSite=Strict; Max-Age=900"),
        "WWW-Authenticate": header("How to authenticate (RFC 6750).", true, 100, "^Bearer.*$", "Bearer"),
        "X-Request-Id": header("Identifies the request in the server's records.", true, 64, "^[A-Za-z0-9._-]+$", "0199a3f07c1b"),
    })
}

/// Completes the responses of an operation.
pub fn finish(method: &str, operation: &mut Value) {
    let repeatable = operation["parameters"].as_array().into_iter().flatten().any(|p| p["name"] == "Idempotency-Key");
    let style = ErrorStyle::of(operation);
    let Some(responses) = operation["responses"].as_object_mut() else {
        return;
    };
    let in_parts = responses.contains_key("206");
    for (status, response) in responses.iter_mut() {
        let error = status.as_str() >= "400";
        if error && response.get("content").is_none() {
            response["content"] = match style {
                ErrorStyle::Problem => {
                    json!({"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}})
                }
                ErrorStyle::Oauth => {
                    json!({"application/json": {"schema": {"$ref": "#/components/schemas/OauthError"}}})
                }
                ErrorStyle::Page => json!({"text/html": {}}),
            };
        }
        let is_file = give_files_a_schema(response, LARGEST_FILE.into());
        let has_tag = method == "get" && response.pointer("/content/application~1json").is_some();
        let mut names = EVERYWHERE.to_vec();
        let mut own = response["headers"].as_object().cloned().unwrap_or_default();
        match status.as_str() {
            "303" => names.push("Location"),
            "401" if style == ErrorStyle::Oauth => {
                drop(
                    own.insert("WWW-Authenticate".to_owned(), json!({"$ref": "#/components/headers/Client-Challenge"})),
                );
            }
            "401" if style == ErrorStyle::Problem => names.push("WWW-Authenticate"),
            "403" => {
                drop(own.insert("WWW-Authenticate".to_owned(), json!({"$ref": "#/components/headers/Missing-Scope"})));
            }
            "409" | "429" | "503" => names.push("Retry-After"),
            "415" => names.push("Accept-Encoding"),
            "416" => names.push("Content-Range"),
            "206" => names.extend(["Accept-Ranges", "Content-Range", "ETag"]),
            "200" if in_parts => names.extend(["Accept-Ranges", "ETag"]),
            "200" if has_tag => names.push("ETag"),
            "304" => names.push("ETag"),
            _ => {}
        }
        if error && style != ErrorStyle::Page {
            names.push("Content-Language");
        } else if repeatable {
            names.push("Idempotency-Replayed");
        }
        if style == ErrorStyle::Page {
            names.push("Set-Cookie");
            if status != "303" {
                names.push("Content-Language");
            }
        } else if is_file {
            names.push("Content-Disposition");
        }
        let references =
            names.iter().map(|name| ((*name).to_owned(), json!({"$ref": format!("#/components/headers/{name}")})));
        response["headers"] = references.chain(own).collect::<Map<_, _>>().into();
    }
}

/// Describes the body of a request that is a file of at most `x-body-bytes`.
pub fn finish_upload(operation: &mut Value) {
    let bound = operation["x-body-bytes"].as_i64().unwrap_or_else(|| LARGEST_FILE.into());
    if let Some(body) = operation.get_mut("requestBody")
        && body.pointer("/content/application~1json/schema/$ref") == Some(&json!("#/components/schemas/Empty"))
    {
        body["required"] = json!(false);
    }
    if let Some(body) = operation.get_mut("requestBody")
        && give_files_a_schema(body, bound)
    {
        body["required"] = json!(true);
    }
}

/// Content that is not JSON is a file: a binary string, for which generated clients have a type. Says whether there is any.
fn give_files_a_schema(described: &mut Value, bound: i64) -> bool {
    let mut found = false;
    let contents = described.get_mut("content").and_then(Value::as_object_mut);
    for (media, content) in contents.into_iter().flatten() {
        if media.ends_with("json") || media == FORM {
            continue;
        }
        found = true;
        content["schema"] = json!({"type": "string", "format": "binary", "maxLength": bound});
    }
    found
}
