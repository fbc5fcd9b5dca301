//! One operation of the reference: parameters, body, answers, codes, roles.

use maud::{Markup, html};
use serde_json::Value;

use crate::kernel::openapi::compact::resolved;
use crate::kernel::pages::visit::Visit;

use super::markdown;
use super::reference::Listed;
use super::schema;

/// The method and the path.
pub fn address(listed: &Listed<'_>) -> Markup {
    html! {
        code {
            span class=(format!("method {}", listed.method)) { (listed.method.to_uppercase()) } " "
            (listed.path)
        }
    }
}

/// All there is to know of it.
pub fn section(visit: &Visit, document: &Value, listed: &Listed<'_>) -> Markup {
    let spec = listed.spec;
    let parameters: Vec<&Value> =
        spec["parameters"].as_array().into_iter().flatten().map(|parameter| resolved(document, parameter)).collect();
    html! {
        section id=(listed.id()) {
            h2 { (listed.summary(visit)) }
            p { (address(listed)) }
            div lang="en" { (markdown::render(spec["description"].as_str().unwrap_or_default(), visit, "")) }
            p.quiet {
                (visit.pick("Ai được gọi", "Who may call")) ": " (roles(visit, spec))
                " · " code { (listed.id()) }
            }
            @if !parameters.is_empty() {
                details {
                    summary { (visit.pick("Tham số", "Parameters")) " (" (parameters.len()) ")" }
                    dl { @for parameter in &parameters { (parameter_lines(visit, parameter)) } }
                }
            }
            @if let Some(body) = spec.get("requestBody") {
                details {
                    summary { (visit.pick("Nội dung gửi lên", "Request body")) }
                    (contents(visit, document, body))
                }
            }
            @for (status, response) in spec["responses"].as_object().into_iter().flatten() {
                @if status.as_str() < "300" { (success(visit, document, status, resolved(document, response))) }
            }
            details {
                summary { (visit.pick("Khi không thành", "Failures")) }
                ul { @for (status, response) in spec["responses"].as_object().into_iter().flatten() {
                    @if status.as_str() >= "300" { (failure(visit, status, resolved(document, response))) }
                } }
            }
        }
    }
}

fn roles(visit: &Visit, spec: &Value) -> Markup {
    let roles: Vec<&str> = spec["x-roles"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let scopes =
        spec["security"].as_array().into_iter().flatten().flat_map(|way| way.as_object().into_iter().flatten());
    let scopes: Vec<&str> =
        scopes.flat_map(|(_, scopes)| scopes.as_array().into_iter().flatten()).filter_map(Value::as_str).collect();
    html! {
        @for (index, role) in roles.iter().enumerate() { @if index > 0 { ", " } (role) }
        @if !scopes.is_empty() { " · " (visit.pick("ứng dụng có", "apps with")) " " code { (scopes.join(" ")) } }
    }
}

fn parameter_lines(visit: &Visit, parameter: &Value) -> Markup {
    html! {
        dt {
            code { (parameter["name"].as_str().unwrap_or_default()) }
            " " span.quiet { (parameter["in"].as_str().unwrap_or_default()) ", " (schema::kind(&parameter["schema"])) }
            @if parameter["required"] == true { " " span.required { (visit.pick("bắt buộc", "required")) } }
        }
        dd lang="en" { (markdown::inline(parameter["description"].as_str().unwrap_or_default())) }
    }
}

fn success(visit: &Visit, document: &Value, status: &str, response: &Value) -> Markup {
    html! {
        details {
            summary { (visit.pick("Trả lời", "Answer")) " " (status) }
            p lang="en" { (markdown::inline(response["description"].as_str().unwrap_or_default())) }
            (contents(visit, document, response))
        }
    }
}

fn contents(visit: &Visit, document: &Value, described: &Value) -> Markup {
    html! {
        @for (media, content) in described["content"].as_object().into_iter().flatten() {
            p.quiet { code { (media) } }
            (schema::fields(visit, document, &content["schema"]))
            @if let Some(example) = content.get("example") {
                pre { code { (serde_json::to_string_pretty(example).unwrap_or_default()) } }
            }
        }
    }
}

fn failure(visit: &Visit, status: &str, response: &Value) -> Markup {
    let codes: Vec<&str> = response["x-codes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    html! {
        li {
            (status)
            @for code in &codes { " " a href=(visit.href(&format!("/problems/{code}"))) { code { (code) } } }
            br;
            span.quiet lang="en" { (markdown::inline(response["description"].as_str().unwrap_or_default())) }
        }
    }
}
