//! Batched requests: the token is checked first, the session together with the work.

use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;

use crate::kernel::http::context::RequestContext;
use crate::kernel::http::idempotency::Key;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::Reply;
use crate::kernel::security::auth::Claims;
use crate::kernel::state::State;

use super::idempotent::key_of;
use super::{parse_body, read_signed_in, state_of};

/// A request with a genuine token. The batch asks the authenticator whether the session still lives.
pub struct BatchedRequest<B> {
    pub state: web::Data<State>,
    pub context: RequestContext,
    pub claims: Arc<Claims>,
    pub body: B,
    /// The key of a write.
    pub key: Option<Key>,
    /// When the server accepted the request.
    pub now: DateTime<Utc>,
    pub request: HttpRequest,
}

impl<B: DeserializeOwned + 'static> FromRequest for BatchedRequest<B> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = req.clone();
        let mut payload = payload.take();
        Box::pin(async move {
            let bytes = read_signed_in(&request, &mut payload).await?;
            let state = state_of(&request)?;
            let context = RequestContext::of(&request);
            let claims = context.claims.clone().ok_or_else(|| Problem::new(Code::Unauthenticated))?;
            let key = key_of(&request, claims.sub, &bytes)?;
            let body = parse_body(&request, &bytes)?;
            Ok(Self { now: state.clock.now(), state, context, claims, body, key, request })
        })
    }
}

/// The reply to a write, marked when it repeats the answer of an earlier request with the same key.
pub fn answer<T, const S: u16>(status: u16, body: String, replayed: bool) -> Reply<T, S> {
    let mut response = HttpResponse::build(StatusCode::from_u16(status).unwrap_or_default());
    if replayed {
        response.insert_header(("Idempotency-Replayed", "true"));
    }
    Reply::of(match status {
        204 => response.finish(),
        _ => response.content_type("application/json").body(body),
    })
}
