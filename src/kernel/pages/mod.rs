//! HTML pages: one layout, a strict content security policy, an error page.

pub mod assets;
pub mod error_page;
pub mod visit;

use std::borrow::Cow;
use std::fmt::Write;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::http::problem::Language;
use assets::{Asset, STYLESHEET};
use visit::Visit;

/// A page before its body is known.
pub struct HtmlPage<'a> {
    language: Language,
    title: Cow<'a, str>,
    status: StatusCode,
    /// Where forms may be sent to; `form-action` of the policy.
    form_action: Cow<'a, str>,
    script: Option<&'static Asset>,
    /// The whole style of a page that is saved or printed without the server.
    own_style: Option<&'static str>,
    /// Navigation between the pages for developers, and the other language.
    visit: Option<&'a Visit>,
    /// For how long the page may be kept, seconds.
    max_age: Option<u32>,
}

impl<'a> HtmlPage<'a> {
    pub fn new(language: Language, title: impl Into<Cow<'a, str>>) -> Self {
        Self {
            language,
            title: title.into(),
            status: StatusCode::OK,
            form_action: "'none'".into(),
            script: None,
            own_style: None,
            visit: None,
            max_age: None,
        }
    }

    /// A page of the documentation: with navigation, in the language of the visit, the same for all its visitors.
    pub fn documentation(visit: &'a Visit, title: impl Into<Cow<'a, str>>) -> Self {
        Self { visit: Some(visit), max_age: Some(300), ..Self::new(visit.language, title) }
    }

    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Allows forms to these sources: `'self'`, and the origins to which their answers redirect.
    #[must_use]
    pub fn forms_to(mut self, sources: impl Into<Cow<'a, str>>) -> Self {
        self.form_action = sources.into();
        self
    }

    /// Runs one script of ours, which may call this server.
    #[must_use]
    pub fn script(mut self, script: &'static Asset) -> Self {
        self.script = Some(script);
        self
    }

    /// Carries its style itself, for pages that are saved.
    #[must_use]
    pub fn own_style(mut self, style: &'static str) -> Self {
        self.own_style = Some(style);
        self
    }

    /// Nothing runs, loads or is sent anywhere but what the page was given.
    fn policy(&self) -> String {
        let style = self.own_style.map_or_else(|| "'self'".to_owned(), source_of);
        let mut policy = format!("default-src 'none'; style-src {style}; ");
        if self.script.is_some() {
            policy.push_str("script-src 'self'; connect-src 'self'; img-src 'self' data:; ");
        }
        // Writing to a string cannot fail.
        let _ = write!(policy, "base-uri 'none'; form-action {}; frame-ancestors 'none'", self.form_action);
        policy
    }

    /// The answer with this body.
    pub fn respond(self, body: &Markup) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        response.content_type("text/html; charset=utf-8");
        response.insert_header((header::CONTENT_SECURITY_POLICY, self.policy()));
        if self.visit.is_some() {
            response.insert_header((header::CONTENT_LANGUAGE, self.language.tag()));
            response.append_header((header::VARY, "Accept-Language"));
        }
        if let Some(seconds) = self.max_age {
            response.insert_header((header::CACHE_CONTROL, format!("public, max-age={seconds}")));
        }
        response.body(self.render(body).into_string())
    }

    fn render(&self, body: &Markup) -> Markup {
        html! {
            (DOCTYPE)
            html lang=(self.language.tag()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (self.title) }
                    @match self.own_style {
                        Some(style) => style { (PreEscaped(style)) },
                        None => {
                            meta name="color-scheme" content="light dark";
                            link rel="stylesheet" href=(STYLESHEET.path());
                        }
                    }
                    @if let Some(script) = self.script { script defer src=(script.path()) {} }
                }
                body {
                    @if let Some(visit) = self.visit { (visit.navigation()) }
                    main #main { (body) }
                    @if let Some(visit) = self.visit { (visit.footer()) }
                }
            }
        }
    }
}

/// The source of a policy that allows exactly this text.
fn source_of(text: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    format!("'sha256-{}'", STANDARD.encode(digest))
}
