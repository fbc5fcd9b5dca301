//! Routes that serve the OpenAPI document of this server.

use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpResponse, get, web};
use serde_json::Value;

use super::EXAMPLE_HOST;

/// The document as this server gives it out: its links lead to this server.
#[derive(Clone)]
pub struct ServedDocument(Bytes);

impl ServedDocument {
    pub fn new(document: &Value, public_url: &str) -> Self {
        Self(document.to_string().replace(&format!("{EXAMPLE_HOST}/"), &format!("{public_url}/")).into())
    }
}

/// The document that this server implements.
#[get("/openapi.json")]
pub async fn document_route(document: web::Data<ServedDocument>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .content_type("application/json")
        .body(document.0.clone())
}
