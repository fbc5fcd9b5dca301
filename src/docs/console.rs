//! The console: Swagger UI, of which nothing is loaded before its button is pressed.

use std::sync::{Arc, LazyLock};

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, web};
use maud::html;
use utoipa_swagger_ui::Config;

use crate::kernel::http::problem::Problem;
use crate::kernel::pages::HtmlPage;
use crate::kernel::pages::assets::CONSOLE;
use crate::kernel::pages::visit::Visit;
use crate::kernel::security::crypto::to_text;
use crate::kernel::state::State;

/// The files that the console loads, in this order.
const FILES: [&str; 2] = ["swagger-ui.css", "swagger-ui-bundle.js"];

/// The folder of these files, which changes with them.
static FOLDER: LazyLock<String> = LazyLock::new(|| {
    let mut whole = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for name in FILES {
        if let Ok(Some(file)) = utoipa_swagger_ui::serve(name, Arc::new(Config::default())) {
            whole.update(&file.bytes);
        }
    }
    to_text(&whole.finish().as_ref()[..9])
});

/// Where operations can be tried.
#[get("/docs/console/")]
pub async fn console(req: HttpRequest, state: web::Data<State>) -> HttpResponse {
    let visit = Visit::of(&req);
    let title = visit.pick("Thử gọi API", "Try the API");
    let logins = state.demo_logins.get().map(Vec::as_slice).unwrap_or_default();
    HtmlPage::documentation(&visit, title).script(&CONSOLE).respond(&html! {
        h1 { (title) }
        p { (visit.pick(
            "Bấm nút để tải công cụ (khoảng nửa megabyte). Mọi lời gọi đi thẳng tới máy chủ này.",
            "Press the button to load the tool (about half a megabyte). Every call goes straight to this server.",
        )) }
        @if !logins.is_empty() {
            p { (visit.pick("Đây là bản dùng thử: chọn vai, đăng nhập một lần bấm.", "This is the demo: choose a role and sign in with one click.")) }
            label for="login" { (visit.pick("Vai", "Role")) }
            select #login {
                @for login in logins {
                    option value=(login.login) data-password=(login.password) { (login.role) " · " (login.login) }
                }
            }
        }
        p {
            button #load type="button" data-folder=(format!("/docs/console/{}/", *FOLDER)) {
                @if logins.is_empty() { (visit.pick("Tải công cụ", "Load the tool")) }
                @else { (visit.pick("Đăng nhập và thử", "Sign in and try")) }
            }
        }
        noscript { p.notice { (visit.pick("Công cụ này cần JavaScript; trang tra cứu thì không.", "The tool needs JavaScript; the reference does not.")) } }
        p #state role="status" {}
        div #console {}
    })
}

/// A file of the console; browsers keep it for a year.
#[get("/docs/console/{folder}/{file}")]
pub async fn console_file(path: web::Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let (folder, name) = path.into_inner();
    if folder != *FOLDER || !FILES.contains(&name.as_str()) {
        return Err(Problem::not_found());
    }
    let file = utoipa_swagger_ui::serve(&name, Arc::new(Config::default()));
    let file = file.map_err(Problem::internal)?.ok_or_else(Problem::not_found)?;
    let mut response = HttpResponse::Ok();
    response.content_type(file.content_type);
    response.insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"));
    if file.gzpipped {
        response.insert_header((header::CONTENT_ENCODING, "gzip"));
    }
    Ok(response.body(file.bytes.into_owned()))
}
