//! The error catalogue: pages made from the code table, at the addresses that `type` names.

use actix_web::{HttpRequest, HttpResponse, get, web};
use maud::{Markup, PreEscaped, html};
use serde_json::Value;

use super::problem::{Code, Problem};
use crate::kernel::openapi::compact::resolved;
use crate::kernel::pages::HtmlPage;
use crate::kernel::pages::visit::Visit;

/// All codes.
#[get("/problems")]
pub async fn catalogue(req: HttpRequest) -> HttpResponse {
    let visit = Visit::of(&req);
    let title = visit.pick("Danh mục mã lỗi", "Problem codes");
    HtmlPage::documentation(&visit, title).respond(&html! {
        h1 { (title) }
        p { (visit.pick(
            "Mỗi lỗi có một mã ổn định ở trường code. Ứng dụng dựa vào mã, không dựa vào câu chữ.",
            "Each failure has a stable code in the field code. Rely on the code, not on the text.",
        )) }
        @for code in Code::ALL { (section(&visit, *code)) }
    })
}

/// One code.
#[get("/problems/{code}")]
pub async fn one(
    req: HttpRequest,
    code: web::Path<String>,
    document: web::Data<Value>,
) -> Result<HttpResponse, Problem> {
    let found = Code::ALL.iter().find(|candidate| candidate.as_str() == code.as_str());
    let code = found.ok_or_else(Problem::not_found)?;
    let visit = Visit::of(&req);
    let title = code.title();
    let page = HtmlPage::documentation(&visit, visit.language.pick(&title));
    Ok(page.respond(&html! {
        p { a href=(visit.href("/problems")) { (visit.pick("Mọi mã lỗi", "All codes")) } }
        (section(&visit, *code))
        (operations(&visit, &document, code.as_str()))
    }))
}

/// The operations that may answer with a code.
fn operations(visit: &Visit, document: &Value, code: &str) -> Markup {
    let items = document["paths"].as_object().into_iter().flatten();
    let all = items.flat_map(|(_, item)| item.as_object().into_iter().flatten()).map(|(_, operation)| operation);
    let answers = |operation: &Value| {
        let mut responses = operation["responses"].as_object().into_iter().flatten();
        responses.any(|(_, response)| {
            let codes = resolved(document, response)["x-codes"].as_array();
            codes.is_some_and(|codes| codes.iter().any(|known| known == code))
        })
    };
    html! {
        h2 { (visit.pick("Các thao tác", "Operations")) }
        ul.operations {
            @for operation in all.filter(|operation| answers(operation)) {
                @let id = operation["operationId"].as_str().unwrap_or_default();
                @let tag = operation["tags"][0].as_str().unwrap_or_default();
                @let summary = operation[visit.pick("x-summary-vi", "summary")].as_str().unwrap_or(id);
                li { a href=(visit.href(&format!("/docs/reference/{tag}#{id}"))) { (summary) } }
            }
        }
    }
}

fn section(visit: &Visit, code: Code) -> Markup {
    let name = code.as_str();
    html! {
        h2 id=(name) { a href=(visit.href(&format!("/problems/{name}"))) { (visit.language.pick(&code.title())) } }
        p { code { (name) } " · HTTP " (code.status()) }
        p lang="en" { (with_code(code.documentation())) }
    }
}

/// Turns text between backticks into `<code>`; the texts are this program's own and need no escaping.
fn with_code(text: &str) -> Markup {
    let parts = text.split('`').enumerate();
    PreEscaped(
        parts.map(|(i, part)| if i % 2 == 0 { part.to_owned() } else { format!("<code>{part}</code>") }).collect(),
    )
}
