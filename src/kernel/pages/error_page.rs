//! The page that a browser gets where a program gets problem+json.

use actix_web::HttpRequest;
use actix_web::http::header;
use maud::html;

use super::HtmlPage;
use super::visit::Visit;
use crate::kernel::http::problem::ProblemOut;

/// The visit of a person: a browser that follows a link outside the API.
pub fn visit(req: &HttpRequest) -> Option<Visit> {
    let accept = req.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let person = accept.contains("text/html") && !req.match_info().as_str().starts_with("/v1/");
    person.then(|| Visit::of(req))
}

/// The page about a problem: what is wrong, and what to quote when asking for help. Gives its policy and its text.
pub fn render(visit: &Visit, problem: &ProblemOut) -> (String, String) {
    let page = HtmlPage::new(visit.language, problem.title.as_str());
    let body = html! {
        h1 { (problem.title) }
        @if let Some(detail) = &problem.detail { p { (detail) } }
        p.quiet {
            (visit.pick("Mã lỗi", "Code")) ": "
            a href=(visit.href(&format!("/problems/{}", problem.code))) { code { (problem.code) } }
            " · HTTP " (problem.status) " · "
            (visit.pick("Mã yêu cầu", "Request")) ": " code { (problem.request_id) }
        }
        p { a href=(visit.href("/docs/")) { (visit.pick("Về trang tài liệu", "To the documentation")) } }
    };
    (page.policy(), page.render(&body).into_string())
}
