//! The error catalogue: pages made from the code table, at the addresses that `type` names.

use actix_web::{HttpRequest, HttpResponse, get, web};

use super::context::RequestContext;
use super::problem::{Code, Problem};

const STYLE: &str = "body{font:1.1rem/1.6 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b}\
code{background:#f2f2f2;padding:.1em .3em}h2{margin-top:2rem}a{color:#8a1c1c}";

/// All codes.
#[get("/problems")]
pub async fn catalogue(req: HttpRequest) -> HttpResponse {
    let sections: String = Code::ALL.iter().map(|code| section(&req, *code)).collect();
    page(&req, &sections)
}

/// One code.
#[get("/problems/{code}")]
pub async fn one(req: HttpRequest, code: web::Path<String>) -> Result<HttpResponse, Problem> {
    let found = Code::ALL.iter().find(|candidate| candidate.as_str() == code.as_str());
    found.map(|code| page(&req, &section(&req, *code))).ok_or_else(Problem::not_found)
}

fn section(req: &HttpRequest, code: Code) -> String {
    let title = code.title();
    format!(
        "<h2 id=\"{name}\"><a href=\"/problems/{name}\">{title}</a></h2><p><code>{name}</code> · HTTP {status}</p><p>{text}</p>",
        name = code.as_str(),
        title = RequestContext::of(req).language.pick(&title),
        status = code.status(),
        text = with_code(code.documentation()),
    )
}

/// Turns text between backticks into `<code>`; the texts are this program's own and need no escaping.
fn with_code(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts.map(|(i, part)| if i % 2 == 0 { part.to_owned() } else { format!("<code>{part}</code>") }).collect()
}

fn page(req: &HttpRequest, body: &str) -> HttpResponse {
    let language = RequestContext::of(req).language.tag();
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(format!(
        "<!doctype html><html lang=\"{language}\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>sotay · problems</title><style>{STYLE}</style><h1><a href=\"/problems\">sotay · problems</a></h1>{body}</html>"
    ))
}
