//! Answers of reads: JSON with an `ETag`, 304 for what the client already has.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::crypto::to_text;
use super::problem::Problem;

/// 200 with a weak `ETag` of the content, or 304 when `If-None-Match` names it.
pub fn json(req: &HttpRequest, body: &impl Serialize) -> Result<HttpResponse, Problem> {
    let bytes = serde_json::to_vec(body).map_err(Problem::internal)?;
    let tag = tag_of(&bytes);
    if matches_any(req, header::IF_NONE_MATCH, &tag) {
        return Ok(HttpResponse::NotModified().insert_header((header::ETAG, tag)).finish());
    }
    Ok(HttpResponse::Ok().insert_header((header::ETAG, tag)).content_type("application/json").body(bytes))
}

/// The weak `ETag` of a body.
pub fn tag(body: &impl Serialize) -> Result<String, Problem> {
    Ok(tag_of(&serde_json::to_vec(body).map_err(Problem::internal)?))
}

fn tag_of(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    format!("W/\"{}\"", to_text(&digest.as_ref()[..12]))
}

/// Whether a conditional header names this tag. Weak comparison (RFC 9110 §8.8.3.2).
pub fn matches_any(req: &HttpRequest, name: header::HeaderName, tag: &str) -> bool {
    let strong = tag.trim_start_matches("W/");
    req.headers()
        .get_all(name)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|candidate| candidate == "*" || candidate.trim_start_matches("W/") == strong)
}
