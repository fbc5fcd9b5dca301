//! The guide: short pages in two languages, kept as Markdown in `docs/guide/`.

use actix_web::{HttpRequest, HttpResponse, get, web};
use maud::html;

use crate::kernel::http::problem::{Language, Problem};
use crate::kernel::pages::HtmlPage;
use crate::kernel::pages::visit::Visit;
use crate::kernel::state::State;

use super::markdown;

/// A page of the guide.
struct GuidePage {
    name: &'static str,
    vi: &'static str,
    en: &'static str,
}

macro_rules! guide_pages {
    ($($number:literal $name:literal;)*) => {
        &[$(GuidePage {
            name: $name,
            vi: include_str!(concat!("../../docs/guide/vi/", $number, "-", $name, ".md")),
            en: include_str!(concat!("../../docs/guide/en/", $number, "-", $name, ".md")),
        }),*]
    };
}

/// In reading order.
static PAGES: &[GuidePage] = guide_pages! {
    "01" "first-call";
    "02" "sign-in";
    "03" "tokens";
    "04" "oauth";
    "05" "reading";
    "06" "points";
    "07" "offline";
    "08" "sync";
    "09" "webhooks";
    "10" "errors";
    "11" "limits";
    "12" "versions";
};

impl GuidePage {
    fn source(&self, language: Language) -> &'static str {
        match language {
            Language::Vietnamese => self.vi,
            Language::English => self.en,
        }
    }

    fn path(&self) -> String {
        format!("/docs/guide/{}", self.name)
    }
}

/// The contents.
#[get("/docs/guide/")]
pub async fn contents(req: HttpRequest) -> HttpResponse {
    let visit = Visit::of(&req);
    let title = visit.pick("Hướng dẫn cho nhà phát triển", "Guide for developers");
    HtmlPage::documentation(&visit, title).respond(&html! {
        h1 { (title) }
        p { (visit.pick(
            "Những trang ngắn. Các lệnh trong trang chạy được với bản dùng thử (./scripts/demo), lần lượt từ trang đầu, trong cùng một cửa sổ lệnh.",
            "Short pages. Their commands work against the demo (./scripts/demo), from the first page on, in one terminal.",
        )) }
        ol {
            @for page in PAGES {
                li { a href=(visit.href(&page.path())) { (markdown::title(page.source(visit.language))) } }
            }
        }
    })
}

/// One page.
#[get("/docs/guide/{name}")]
pub async fn one(req: HttpRequest, name: web::Path<String>, state: web::Data<State>) -> Result<HttpResponse, Problem> {
    let place = PAGES.iter().position(|page| page.name == name.as_str()).ok_or_else(Problem::not_found)?;
    let visit = Visit::of(&req);
    let source = PAGES[place].source(visit.language);
    let next = PAGES.get(place + 1);
    Ok(HtmlPage::documentation(&visit, markdown::title(source)).respond(&html! {
        (markdown::render(source, &visit, &state.public_url))
        p {
            a href=(visit.href("/docs/guide/")) { (visit.pick("Mục lục", "Contents")) }
            @if let Some(next) = next {
                " · " (visit.pick("Tiếp theo", "Next")) ": "
                a href=(visit.href(&next.path())) { (markdown::title(next.source(visit.language))) }
            }
        }
    }))
}
