//! Routes that serve the OpenAPI document of this server.

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use serde_json::Value;
use utoipa_swagger_ui::SwaggerUi;

/// The document that this server implements.
#[get("/openapi.json")]
pub async fn document_route(document: web::Data<Value>) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "public, max-age=300")).json(document.as_ref())
}

/// Interactive documentation; its assets are part of the program.
pub fn docs() -> SwaggerUi {
    let config = utoipa_swagger_ui::Config::from("/openapi.json").try_it_out_enabled(true).validator_url("none");
    SwaggerUi::new("/docs/{_:.*}").config(config)
}

/// The address people type.
#[get("/docs")]
pub async fn docs_redirect() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}
