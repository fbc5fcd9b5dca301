//! The reference: the OpenAPI document as pages, one for each tag.

use actix_web::{HttpRequest, HttpResponse, get, web};
use maud::{Markup, html};
use serde_json::Value;

use crate::kernel::http::problem::{Language, Problem};
use crate::kernel::openapi::EXAMPLE_HOST;
use crate::kernel::pages::HtmlPage;
use crate::kernel::pages::visit::Visit;
use crate::kernel::state::State;

use super::{markdown, operation};

/// An operation of the document and where it stands.
pub struct Listed<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub spec: &'a Value,
}

impl Listed<'_> {
    pub fn id(&self) -> &str {
        self.spec["operationId"].as_str().unwrap_or_default()
    }

    /// In the language of the visit.
    pub fn summary(&self, visit: &Visit) -> &str {
        let name = visit.pick("x-summary-vi", "summary");
        self.spec[name].as_str().or(self.spec["summary"].as_str()).unwrap_or_default()
    }
}

/// The operations of a tag in the order of their paths.
fn operations<'a>(document: &'a Value, tag: &str) -> Vec<Listed<'a>> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let all = paths.flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten();
        methods.map(move |(method, spec)| Listed { method, path, spec })
    });
    all.filter(|listed| listed.spec["tags"][0] == tag).collect()
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn tag_path(visit: &Visit, tag: &str) -> String {
    visit.href(&format!("/docs/reference/{tag}"))
}

/// The journeys and their tags.
#[get("/docs/")]
pub async fn overview(req: HttpRequest, document: web::Data<Value>, state: web::Data<State>) -> HttpResponse {
    let visit = Visit::of(&req);
    let document = document.as_ref();
    let description = document["info"]["description"].as_str().unwrap_or_default().replace(EXAMPLE_HOST, "");
    let page = HtmlPage::documentation(&visit, visit.pick("Tra cứu API của Sổ tay", "API reference of Sổ tay"));
    page.respond(&html! {
        h1 { (visit.pick("Tra cứu API của Sổ tay", "API reference of Sổ tay")) }
        p {
            a.button href=(visit.href("/docs/guide/first-call")) { (visit.pick("Gọi lần đầu trong năm phút", "First call in five minutes")) }
            " "
            a.button.second href=(visit.href("/docs/console/")) { (visit.pick("Thử gọi", "Try it")) }
        }
        @for group in document["x-tagGroups"].as_array().into_iter().flatten() {
            h2 { (journey(&visit, group["name"].as_str().unwrap_or_default())) }
            ul { @for tag in texts(&group["tags"]) { (tag_line(&visit, document, tag)) } }
        }
        h2 { (visit.pick("Quy ước chung", "What holds everywhere")) }
        div lang="en" { (markdown::render(&description, &visit, &state.public_url)) }
    })
}

fn tag_line(visit: &Visit, document: &Value, tag: &str) -> Markup {
    html! {
        li {
            a href=(tag_path(visit, tag)) { (tag) }
            " · " (operations(document, tag).len())
            br;
            span.quiet lang="en" { (description(document, tag)) }
        }
    }
}

fn description<'a>(document: &'a Value, tag: &str) -> &'a str {
    let tags = document["tags"].as_array();
    let found = tags.into_iter().flatten().find(|known| known["name"] == tag);
    found.and_then(|tag| tag["description"].as_str()).unwrap_or_default()
}

fn journey<'a>(visit: &Visit, name: &'a str) -> &'a str {
    let vietnamese = match name {
        "Member" => "Đảng viên",
        "Secretary" => "Bí thư chi bộ",
        "Committee" => "Cấp ủy",
        "Developer" => "Nhà phát triển",
        "Administrator" => "Quản trị",
        other => other,
    };
    match visit.language {
        Language::Vietnamese => vietnamese,
        Language::English => name,
    }
}

/// The operations of a tag.
#[get("/docs/reference/{tag}")]
pub async fn by_tag(
    req: HttpRequest,
    tag: web::Path<String>,
    document: web::Data<Value>,
) -> Result<HttpResponse, Problem> {
    let visit = Visit::of(&req);
    let operations = operations(&document, &tag);
    if operations.is_empty() {
        return Err(Problem::not_found());
    }
    Ok(HtmlPage::documentation(&visit, tag.as_str()).respond(&html! {
        p { a href=(visit.href("/docs/")) { (visit.pick("Mọi nhóm", "All groups")) } }
        h1 { (tag) }
        p lang="en" { (description(&document, &tag)) }
        ul.operations {
            @for listed in &operations {
                li {
                    a href=(format!("#{}", listed.id())) { (listed.summary(&visit)) }
                    br;
                    (operation::address(listed))
                }
            }
        }
        @for listed in &operations { (operation::section(&visit, &document, listed)) }
    }))
}
