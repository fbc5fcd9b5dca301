//! Pages for developers: the reference, the guide, the changelog and the console.

mod changelog;
mod console;
mod guide;
mod markdown;
mod operation;
mod reference;
mod schema;

use actix_web::dev::HttpServiceFactory;
use actix_web::web;

/// Everything below `/docs/`.
pub fn pages() -> impl HttpServiceFactory + 'static {
    (
        web::redirect("/docs", "/docs/"),
        web::redirect("/docs/guide", "/docs/guide/"),
        web::redirect("/docs/console", "/docs/console/"),
        reference::overview,
        reference::by_tag,
        guide::contents,
        guide::one,
        changelog::changelog,
        console::console,
        console::console_file,
    )
}
