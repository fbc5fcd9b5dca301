//! Completes the OpenAPI document with what all operations share, so that new routes get it too.

pub mod audience;
mod codes;
pub mod compact;
pub mod components;
mod examples;
pub mod operations;
mod responses;
mod schemas;
mod security;
pub mod served;
pub mod strict_json;
pub mod webhooks;

use serde_json::{Value, json};
use utoipa::PartialSchema;

use super::extract::secret;
use super::http::problem::{FieldError, ProblemOut};
use webhooks::DocumentedEvent;

/// The groups of operations, in alphabetical order.
const TAGS: &[(&str, &str)] = &[
    ("Adjustments", "Corrections of points that two officers make, and appeals of members."),
    ("Apps", "Apps of third parties: registration by a unit, review by an administrator."),
    ("Attestations", "What officers vouch for: meetings, opinions, assisted study."),
    ("Audit", "Who did what to whose record."),
    ("Cases", "Unusual patterns that a person reviews; no case changes points."),
    ("Closings", "Closed months: signed snapshots, reports that can be verified offline, roll-ups."),
    ("Contests", "Rounds that are quizzes, boards by score and time, signed results."),
    ("Decisions", "What takes two officers: proposed by one, confirmed or refused by another."),
    ("Deliveries", "Deliveries of events that failed."),
    ("Documents", "The library: documents distributed to units, their files, reading measured by the server."),
    ("Leaderboards", "Ranks by points, within the privacy rules."),
    ("Me", "The signed-in person: profile, notifications, access log."),
    ("Members", "Members, memberships, exemptions, transfers, rosters."),
    ("OAuth", "How apps of third parties get tokens: OAuth 2.1 with its forms and errors."),
    ("Points", "The ledger of study points, thresholds, the threshold board, exports."),
    ("Quizzes", "Question banks, quizzes, attempts and their results."),
    ("Roles", "Grants of roles on units for a term."),
    ("Rules", "The rules by which points are given: what is in force where, drafts and published changes."),
    ("Sessions", "Activation, sign-in, device sessions, passwords."),
    ("Units", "The tree of organisations."),
    ("Webhooks", "Events sent to other systems: endpoints, deliveries, the same events as a list."),
];

/// The pages of the guide for some tags.
const GUIDES: &[(&str, &str)] =
    &[("Documents", "reading"), ("Me", "sync"), ("Points", "points"), ("Sessions", "sign-in")];

/// The address that stands for a server in the checked-in document; each server puts its own in its place.
pub const EXAMPLE_HOST: &str = "https://sotay.example";

const INTRODUCTION: &str = "Backend of the electronic Party-member handbook: study points and the monthly threshold, \
documents, quizzes, leaderboards.

New here? The [guide](https://sotay.example/docs/guide/) leads from nothing to a first call in five minutes; the \
[catalogue of problems](https://sotay.example/problems) explains every code; the \
[changelog](https://sotay.example/docs/changelog) says what changed.

Ids are opaque strings. Instants are RFC 3339, days `YYYY-MM-DD`, months `YYYY-MM` in \
Asia/Ho_Chi_Minh. Lists are pages: pass `next_cursor` as `cursor` until it is null. Errors are `application/problem+json`; \
rely on `code`. New optional fields in responses, new codes and new enum values are not breaking changes: ignore what you \
do not know. Unknown request fields and parameters are refused. A `POST` may carry `Idempotency-Key`: repeated within 24 \
hours with the same body it answers what the first one answered and does nothing.

`x-roles` of an operation names the callers that it lets in, `x-codes` of a response its problem codes, `x-summary-vi` the summary \
in Vietnamese. `self` is the member whose things they are.";

/// Statuses any operation can answer with, and what they mean.
const COMMON: &[(&str, &str)] = &[
    ("400", "The request does not match this document; `errors` names every fault."),
    ("401", "There is no valid access token."),
    ("429", "The request budget is used up; wait for `Retry-After` seconds."),
    ("500", "A system error, recorded under `request_id`."),
    ("503", "The database cannot be reached; nothing was lost. Repeat after `Retry-After` seconds."),
];

/// Adds to the published document what the handlers do not declare, and the events that webhooks carry.
pub fn finish(api: &utoipa::openapi::OpenApi, events: &[DocumentedEvent]) -> Value {
    let mut document = serde_json::to_value(api).unwrap_or_default();
    document["openapi"] = json!("3.1.0");
    document["info"] = json!({
        "title": "Sổ tay đảng viên điện tử",
        "version": env!("CARGO_PKG_VERSION"),
        "summary": "Points, documents and boards of the Party-member handbook.",
        "description": INTRODUCTION,
        "license": {"name": "MIT", "url": "https://opensource.org/license/mit"},
        "contact": {"name": "Sotay developers", "url": "https://sotay.example/docs/", "email": "api@sotay.example"},
    });
    document["servers"] = servers();
    document["externalDocs"] = json!({"description": "The guide", "url": guide_url("")});
    document["x-tagGroups"] = audience::groups();
    document["security"] = json!([{"bearer": []}]);
    document["tags"] = TAGS.iter().map(|(name, description)| tag(name, description)).collect();
    finish_components(&mut document["components"]);
    for item in members(&mut document["paths"]) {
        for (method, operation) in item.1.as_object_mut().into_iter().flatten() {
            finish_operation(method, operation);
        }
    }
    webhooks::add(&mut document, events);
    schemas::drop_unused(&mut document);
    codes::name_all(&mut document);
    schemas::require_present(&mut document);
    schemas::bound_all(&mut document);
    document
}

fn servers() -> Value {
    json!([
        {"url": "/", "description": "The server this document came from: production, or the local sandbox (`./scripts/demo`).",
            "x-internal": false},
        {"url": "https://{host}", "description": "Production: the server of an organisation.", "x-internal": false,
            "variables": {"host": {"default": "sotay.example", "description": "The organisation's host."}}},
    ])
}

fn guide_url(page: &str) -> String {
    format!("{EXAMPLE_HOST}/docs/guide/{page}")
}

fn tag(name: &str, description: &str) -> Value {
    let mut tag = json!({"name": name, "description": description});
    if let Some((_, page)) = GUIDES.iter().find(|(of, _)| *of == name) {
        tag["externalDocs"] = json!({"description": "In the guide", "url": guide_url(page)});
    }
    tag
}

fn members(value: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    value.as_object_mut().into_iter().flatten()
}

fn finish_components(components: &mut Value) {
    if !components.is_object() {
        *components = json!({});
    }
    components["securitySchemes"] = security::schemes();
    components["headers"] = responses::headers();
}

fn finish_operation(method: &str, operation: &mut Value) {
    let id = camel_case(operation["operationId"].as_str().unwrap_or_default());
    operation["operationId"] = json!(id);
    audience::describe(operation);
    if !operation["description"].is_string() {
        operation["description"] = operation["summary"].clone();
    }
    add_parameter(
        operation,
        "Accept-Language",
        "The language of titles and details: `vi`, the default, or `en`.",
        "^.*$",
        200,
    );
    let public = operation["security"].as_array().is_some_and(|s| s.contains(&json!({})));
    let mut common: Vec<(&str, &str)> = COMMON.to_vec();
    let has_path_parameter = operation["parameters"].as_array().into_iter().flatten().any(|p| p["in"] == "path");
    if has_path_parameter {
        common.push(("404", "There is no such object, or the caller may not know that there is."));
    }
    common.push(("403", security::refusal(operation, has_path_parameter && !public)));
    let secret = operation.as_object_mut().is_some_and(|fields| fields.remove(secret::MARK).is_some());
    if method == "post" && !public && !secret {
        add_parameter(
            operation,
            "Idempotency-Key",
            "Names this request: a repetition within 24 hours does nothing and gets the same answer.",
            "^[!-~]+$",
            100,
        );
        common.push((
            "409",
            "In conflict with the current state, or the first request with this key is still being processed.",
        ));
        common.push(("422", "A rule is not met, or the key was used for another request."));
    }
    let cacheable = method == "get" && operation.pointer("/responses/200/content/application~1json").is_some();
    if cacheable {
        add_parameter(
            operation,
            "If-None-Match",
            "The `ETag` of the copy the client has; unchanged content is answered with 304.",
            "^.+$",
            500,
        );
        operation["responses"]["304"] = json!({"description": "The client's copy is still current."});
    }
    if operation.get("requestBody").is_some() {
        responses::finish_upload(operation);
        common.push(("408", "The body arrived too slowly."));
        common.push(("413", "The body is too large."));
        common.push(("415", "The media type is not the documented one, or the body is compressed."));
    }
    add_responses(operation, common);
    responses::finish(method, operation);
    codes::list(operation);
    examples::attach(operation);
}

/// A handler's description of a status takes precedence over the common one.
fn add_responses(operation: &mut Value, common: Vec<(&str, &str)>) {
    for (status, description) in common {
        if operation["responses"].get(status).is_none() {
            operation["responses"][status] = json!({"description": description});
        }
    }
}

fn add_parameter(operation: &mut Value, name: &str, description: &str, pattern: &str, max: i32) {
    let parameter = json!({"name": name, "in": "header", "required": false, "description": description,
        "schema": {"type": "string", "maxLength": max, "pattern": pattern}});
    match operation["parameters"].as_array_mut() {
        Some(parameters) => parameters.push(parameter),
        None => operation["parameters"] = json!([parameter]),
    }
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut made, word| {
        let (head, tail) = word.split_at(word.len().min(1));
        made.push_str(&head.to_ascii_uppercase());
        made.push_str(tail);
        made
    })
}

/// Adds the schemas that the generator does not collect: of error answers, and of the replies that handlers' types name.
pub fn add_schemas(api: &mut utoipa::openapi::OpenApi) {
    let components = api.components.get_or_insert_default();
    components.schemas.insert("Problem".to_owned(), ProblemOut::schema());
    components.schemas.insert("FieldError".to_owned(), FieldError::schema());
    components.schemas.insert("OauthError".to_owned(), super::http::problem::OauthError::schema());
    components::add_to(api);
}
