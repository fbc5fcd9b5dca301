//! A visit to a page of the documentation: its language and the links that keep it.

use actix_web::HttpRequest;
use maud::{Markup, html};

use crate::kernel::http::context::RequestContext;
use crate::kernel::http::problem::{Language, Text, text};

/// Who reads which page in which language: that of `?lang=`, otherwise that of the browser.
pub struct Visit {
    pub language: Language,
    /// Whether the address names the language; links then name it too.
    chosen: bool,
    path: String,
}

impl Visit {
    pub fn of(req: &HttpRequest) -> Self {
        let chosen = req.query_string().split('&').find_map(|pair| match pair {
            "lang=vi" => Some(Language::Vietnamese),
            "lang=en" => Some(Language::English),
            _ => None,
        });
        let language = chosen.unwrap_or_else(|| RequestContext::of(req).language);
        Self { language, chosen: chosen.is_some(), path: req.path().to_owned() }
    }

    /// A text in the language of the visit.
    pub fn pick(&self, vi: &'static str, en: &'static str) -> &'static str {
        match self.language {
            Language::Vietnamese => vi,
            Language::English => en,
        }
    }

    /// The address of another page in the same language.
    pub fn href(&self, path: &str) -> String {
        if !self.chosen {
            return path.to_owned();
        }
        let (path, fragment) = path.split_once('#').map_or((path, None), |(path, fragment)| (path, Some(fragment)));
        let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
        format!("{path}?lang={}{fragment}", self.language.tag())
    }

    pub(super) fn navigation(&self) -> Markup {
        let entries: [(&str, Text); 4] = [
            ("/docs/", text("Tra cứu API", "Reference")),
            ("/docs/guide/", text("Hướng dẫn", "Guide")),
            ("/problems", text("Mã lỗi", "Problems")),
            ("/docs/changelog", text("Thay đổi", "Changelog")),
        ];
        html! {
            a.skip href="#main" { (self.pick("Đến nội dung", "To the content")) }
            header.site {
                nav aria-label=(self.pick("Tài liệu", "Documentation")) {
                    @for (path, name) in &entries {
                        a href=(self.href(path)) aria-current=[(self.path == *path).then_some("page")] {
                            (self.language.pick(name))
                        }
                    }
                }
            }
        }
    }

    pub(super) fn footer(&self) -> Markup {
        let (other, name) = match self.language {
            Language::Vietnamese => ("en", "English"),
            Language::English => ("vi", "Tiếng Việt"),
        };
        html! {
            footer.site {
                a href=(format!("{}?lang={other}", self.path)) lang=(other) hreflang=(other) { (name) }
                a href="/openapi.json" { "OpenAPI" }
            }
        }
    }
}
