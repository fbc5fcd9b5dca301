//! The consent page: plain words, no script, everything by keyboard, first of all for phones.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use maud::{Markup, html};

use crate::kernel::http::context::Rendered;
use crate::kernel::http::problem::{Language, Text, text};
use crate::kernel::pages::HtmlPage;

use super::request::CheckedRequest;

/// What the page shows.
pub struct ConsentPage<'a> {
    pub language: Language,
    pub asked: &'a CheckedRequest,
    pub unit_name: &'a str,
    /// The request, as the form sends it again.
    pub request: &'a str,
    /// The token that binds the form to the browser.
    pub token: &'a str,
    /// The cookie of which the token is made.
    pub cookie: &'a str,
    /// How long an app that is not used keeps what it was allowed, days.
    pub days: u32,
    pub login: &'a str,
    /// Why the form comes again.
    pub fault: Option<(StatusCode, Text)>,
}

impl ConsentPage<'_> {
    fn pick(&self, vi: &'static str, en: &'static str) -> &'static str {
        match self.language {
            Language::Vietnamese => vi,
            Language::English => en,
        }
    }

    /// The answer.
    pub fn respond(&self) -> HttpResponse {
        let name = &self.asked.client.name;
        let title = match self.language {
            Language::Vietnamese => format!("Cho phép «{name}»?"),
            Language::English => format!("Allow “{name}”?"),
        };
        let status = self.fault.as_ref().map_or(StatusCode::OK, |(status, _)| *status);
        let body = html! {
            h1 { (title) }
            p {
                (self.pick("Ứng dụng ", "The app ")) strong { (name) }
                (self.pick(" của ", " of ")) strong { (self.unit_name) }
                (self.pick(" xin được xem:", " asks to see:"))
            }
            ul { @for scope in self.asked.scopes.iter() { li { (self.language.pick(&scope.words())) } } }
            (self.promises())
            (self.form())
        };
        let mut response = HtmlPage::new(self.language, title.as_str())
            .status(status)
            .forms_to(format!("'self' {}", self.asked.back.source()))
            .respond(&body);
        response.extensions_mut().insert(Rendered);
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
        headers.insert(header::CONTENT_LANGUAGE, header::HeaderValue::from_static(self.language.tag()));
        if let Ok(cookie) = header::HeaderValue::from_str(self.cookie) {
            headers.append(header::SET_COOKIE, cookie);
        }
        response
    }

    fn promises(&self) -> Markup {
        let until = match self.language {
            Language::Vietnamese => format!(
                "Bạn thu hồi lúc nào cũng được, trong mục «Ứng dụng đã cho phép». Nếu ứng dụng không dùng đến trong {} ngày, \
                 quyền này tự hết.",
                self.days
            ),
            Language::English => format!(
                "You can take this back at any time under “Apps you allowed”. It ends by itself when the app has not used it \
                 for {} days.",
                self.days
            ),
        };
        html! {
            p {
                (self.pick(
                    "Ứng dụng không thấy mật khẩu của bạn, không học, không thi và không cộng điểm thay bạn. ",
                    "The app does not see your password, and cannot study, take quizzes or earn points for you. ",
                ))
                (until)
            }
        }
    }

    fn form(&self) -> Markup {
        html! {
            form method="post" action="/oauth/authorize" {
                input type="hidden" name="request" value=(self.request);
                input type="hidden" name="token" value=(self.token);
                @if let Some((_, fault)) = &self.fault {
                    p role="alert" #fault { strong { (self.language.pick(fault)) } }
                }
                p {
                    label for="login" { (self.pick("Số căn cước, số thẻ hoặc số điện thoại", "Citizen ID, card number or phone")) }
                    input #login type="text" name="login" value=(self.login) autocomplete="username" maxlength="100" required
                        aria-describedby=[self.fault.as_ref().map(|_| "fault")];
                }
                p {
                    label for="password" { (self.pick("Mật khẩu", "Password")) }
                    input #password type="password" name="password" autocomplete="current-password" maxlength="200" required;
                }
                p {
                    button type="submit" name="decision" value="allow" { (self.pick("Đăng nhập và cho phép", "Sign in and allow")) }
                    " "
                    button type="submit" name="decision" value="deny" formnovalidate { (self.pick("Không cho phép", "Do not allow")) }
                }
                p.quiet {
                    (self.pick("Sau đó bạn được đưa về ", "You are then sent back to ")) code { (self.asked.back.shown()) } "."
                }
            }
        }
    }
}

/// Why a sign-in on the page failed.
pub fn wrong_password() -> Text {
    text("Tên đăng nhập hoặc mật khẩu không đúng. Hãy thử lại.", "The login or the password is wrong. Try again.")
}

/// The same, when there were too many of them.
pub fn too_many(seconds: u64) -> Text {
    let minutes = seconds.div_ceil(60);
    text(
        format!("Đã thử sai quá nhiều lần. Hãy đợi {minutes} phút rồi thử lại."),
        format!("Too many failed tries. Wait {minutes} minutes and try again."),
    )
}

/// Only members have something that an app could read for them.
pub fn no_member() -> Text {
    text("Chỉ đảng viên cho phép được ứng dụng.", "Only members can allow apps.")
}
