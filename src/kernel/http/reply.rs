//! Typed replies: what an operation answers, and what the document says of it, follow from one type.

use std::marker::PhantomData;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, TryIntoHeaderPair};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ContentBuilder, HeaderBuilder, ObjectBuilder, RefOr};
use utoipa::{IntoResponses, ToSchema};

use super::problem::Problem;
use crate::kernel::openapi::components;
use crate::kernel::security::crypto::to_text;

type Responses = std::collections::BTreeMap<String, RefOr<Response>>;

/// A success with a body of type `T` under the status `S`.
pub struct Reply<T, const S: u16 = 200> {
    response: HttpResponse,
    body: PhantomData<fn() -> T>,
}

/// 201: the object was made.
pub type Created<T> = Reply<T, 201>;
/// 202: a second officer decides.
pub type Accepted<T> = Reply<T, 202>;
/// 204: it is done, and there is nothing to say.
pub type NoContent = Reply<(), 204>;

impl<T, const S: u16> Reply<T, S> {
    /// A reply whose response was built by hand: files, and answers that were stored as text.
    pub fn of(response: HttpResponse) -> Self {
        Self { response, body: PhantomData }
    }

    /// The same reply, which the document describes as `U`: JSON that was stored from a `U` earlier, or that is saved as a file.
    pub fn described_as<U>(self) -> Reply<U, S> {
        Reply::of(self.response)
    }

    /// The same reply with one more header.
    #[must_use]
    pub fn with(mut self, header: impl TryIntoHeaderPair) -> Self {
        if let Ok((name, value)) = header.try_into_pair() {
            self.response.headers_mut().insert(name, value);
        }
        self
    }
}

impl<T: Serialize, const S: u16> Reply<T, S> {
    /// A JSON body, or none under 204.
    pub fn json(body: &T) -> Self {
        let mut response = HttpResponse::build(StatusCode::from_u16(S).unwrap_or_default());
        Self::of(if S == 204 { response.finish() } else { response.json(body) })
    }
}

impl<T, const S: u16> Responder for Reply<T, S> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.response
    }
}

impl<T: Body, const S: u16> IntoResponses for Reply<T, S> {
    fn responses() -> Responses {
        let described = if S == 204 { Some(response("Done; there is nothing to say.").build()) } else { T::response() };
        described.map(|response| (S.to_string(), response.into())).into_iter().collect()
    }
}

/// One of two successes.
pub enum OneOf<A, B> {
    First(A),
    Second(B),
}

impl<A: Responder<Body = BoxBody>, B: Responder<Body = BoxBody>> Responder for OneOf<A, B> {
    type Body = BoxBody;

    fn respond_to(self, req: &HttpRequest) -> HttpResponse {
        match self {
            Self::First(reply) => reply.respond_to(req),
            Self::Second(reply) => reply.respond_to(req),
        }
    }
}

impl<A: IntoResponses, B: IntoResponses> IntoResponses for OneOf<A, B> {
    fn responses() -> Responses {
        A::responses().into_iter().chain(B::responses()).collect()
    }
}

/// Problems stand in every operation; see [`crate::kernel::openapi`].
impl IntoResponses for Problem {
    fn responses() -> Responses {
        Responses::new()
    }
}

/// A kind of body, as the document describes it.
pub trait Body {
    /// None when the operation describes its bodies itself.
    fn response() -> Option<Response>;
}

/// JSON, with the type's own description.
impl<T: ToSchema> Body for T {
    fn response() -> Option<Response> {
        let (schema, description) = components::register::<T>();
        let content = ContentBuilder::new().schema(Some(schema)).build();
        Some(response(&description).content("application/json", content).build())
    }
}

fn response(description: &str) -> ResponseBuilder {
    ResponseBuilder::new().description(description)
}

macro_rules! files {
    ($($(#[$doc:meta])* $name:ident: $media:literal, $description:literal;)*) => {$(
        $(#[$doc])*
        pub struct $name;

        impl Body for $name {
            fn response() -> Option<Response> {
                Some(response($description).content($media, ContentBuilder::new().build()).build())
            }
        }
    )*};
}

files! {
    /// A workbook to be downloaded.
    Xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "The workbook.";
    /// A table to be downloaded.
    Csv: "text/csv", "The table.";
    /// A page for printing.
    Html: "text/html", "The page.";
    /// One JSON object a line.
    JsonLines: "application/jsonl", "One JSON object a line.";
}

/// JSON of type `T` to be saved under the name that the reply gives.
pub struct Saved<T>(PhantomData<T>);

impl<T: ToSchema> Body for Saved<T> {
    fn response() -> Option<Response> {
        let name = HeaderBuilder::new()
            .description(Some("The name to save the file under (RFC 6266)."))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
            .build();
        let mut response = T::response()?;
        response.headers.insert("Content-Disposition".to_owned(), name.into());
        Some(response)
    }
}

/// A file of a kind that the operation itself lists.
pub struct AnyFile;

impl Body for AnyFile {
    fn response() -> Option<Response> {
        None
    }
}

/// 200 with a weak `ETag` of the content, or 304 when `If-None-Match` names it.
pub fn json<T: Serialize>(req: &HttpRequest, body: &T) -> Result<Reply<T>, Problem> {
    let bytes = serde_json::to_vec(body).map_err(Problem::internal)?;
    let tag = tag_of(&bytes);
    Ok(Reply::of(tagged(req, bytes, tag)))
}

fn tagged(req: &HttpRequest, bytes: Vec<u8>, tag: String) -> HttpResponse {
    if matches_any(req, header::IF_NONE_MATCH, &tag) {
        return HttpResponse::NotModified().insert_header((header::ETAG, tag)).finish();
    }
    HttpResponse::Ok().insert_header((header::ETAG, tag)).content_type("application/json").body(bytes)
}

/// The same for what people change: the tag also names the version, which readers share whatever else differs between them.
pub fn versioned<T: Serialize>(req: &HttpRequest, body: &T, version: &impl Serialize) -> Result<Reply<T>, Problem> {
    let bytes = serde_json::to_vec(body).map_err(Problem::internal)?;
    let tag = format!("W/\"{}.{}\"", digest(&serde_json::to_vec(version).map_err(Problem::internal)?), digest(&bytes));
    Ok(Reply::of(tagged(req, bytes, tag)))
}

/// Whether `If-Match` names this version; the language of the copy does not matter.
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
