//! What changed, as a page: `CHANGELOG.md` of this version.

use actix_web::{HttpRequest, HttpResponse, get, web};
use maud::html;

use crate::kernel::pages::HtmlPage;
use crate::kernel::pages::visit::Visit;
use crate::kernel::state::State;

use super::markdown;

const CHANGELOG: &str = include_str!("../../CHANGELOG.md");

/// The changelog, in English only.
#[get("/docs/changelog")]
pub async fn changelog(req: HttpRequest, state: web::Data<State>) -> HttpResponse {
    let visit = Visit::of(&req);
    let page = HtmlPage::documentation(&visit, visit.pick("Những thay đổi", "Changelog"));
    page.respond(&html! { div lang="en" { (markdown::render(CHANGELOG, &visit, &state.public_url)) } })
}
