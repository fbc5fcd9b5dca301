//! Answers of reads: JSON with an `ETag`, 304 for what the client already has.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::problem::Problem;
use crate::kernel::security::crypto::to_text;

/// 200 with a weak `ETag` of the content, or 304 when `If-None-Match` names it.
pub fn json(req: &HttpRequest, body: &impl Serialize) -> Result<HttpResponse, Problem> {
    let bytes = serde_json::to_vec(body).map_err(Problem::internal)?;
    let tag = tag_of(&bytes);
    Ok(answer(req, bytes, tag))
}

fn answer(req: &HttpRequest, bytes: Vec<u8>, tag: String) -> HttpResponse {
    if matches_any(req, header::IF_NONE_MATCH, &tag) {
        return HttpResponse::NotModified().insert_header((header::ETAG, tag)).finish();
    }
    HttpResponse::Ok().insert_header((header::ETAG, tag)).content_type("application/json").body(bytes)
}

/// The same for what people change: the tag also names the version, which readers share whatever else differs between them.
pub fn versioned(req: &HttpRequest, body: &impl Serialize, version: &impl Serialize) -> Result<HttpResponse, Problem> {
    let bytes = serde_json::to_vec(body).map_err(Problem::internal)?;
    let tag = format!("W/\"{}.{}\"", digest(&serde_json::to_vec(version).map_err(Problem::internal)?), digest(&bytes));
    Ok(answer(req, bytes, tag))
}

/// Whether `If-Match` names this version, whoever read it.
pub fn matches_version(req: &HttpRequest, version: &impl Serialize) -> Result<bool, Problem> {
    let version = digest(&serde_json::to_vec(version).map_err(Problem::internal)?);
    let names = |candidate: &str| {
        let opaque = candidate.trim_start_matches("W/").trim_matches('"');
        candidate == "*" || opaque.split_once('.').is_some_and(|(named, _)| named == version)
    };
    Ok(candidates(req, header::IF_MATCH).any(names))
}

/// The weak `ETag` of a body.
pub fn tag(body: &impl Serialize) -> Result<String, Problem> {
    Ok(tag_of(&serde_json::to_vec(body).map_err(Problem::internal)?))
}

fn tag_of(bytes: &[u8]) -> String {
    format!("W/\"{}\"", digest(bytes))
}

fn digest(bytes: &[u8]) -> String {
    to_text(&aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref()[..12])
}

/// What a conditional header names.
fn candidates(req: &HttpRequest, name: header::HeaderName) -> impl Iterator<Item = &str> {
    let values = req.headers().get_all(name).filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

/// Whether a conditional header names this tag. Weak comparison (RFC 9110 §8.8.3.2).
pub fn matches_any(req: &HttpRequest, name: header::HeaderName, tag: &str) -> bool {
    let strong = tag.trim_start_matches("W/");
    candidates(req, name).any(|candidate| candidate == "*" || candidate.trim_start_matches("W/") == strong)
}
