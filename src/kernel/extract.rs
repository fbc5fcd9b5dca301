//! Extractors: the caller, the object they may act on, a checked body, one transaction per write.

pub mod batched;
pub mod form;
pub mod idempotent;
pub mod secret;
pub mod upload;

use std::marker::PhantomData;
use std::ops::Deref;

use actix_web::body::{BodyStream, to_bytes_limited};
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::batching::change_poller::ChangePoller;
use super::db::{Conn, DB_TIMEOUT, PooledConn, transaction, within};
use super::http::body::broken;
use super::http::context::RequestContext;
use super::http::idempotency::Key;
use super::http::problem::{Code, Problem};
use super::http::rate_limit::Payer;
use super::http::reply;
use super::http::reply::Reply;
use super::openapi::operations::BODY_BYTES;
use super::security::access::Needs;
use super::security::audit;
use super::security::auth::{Principal, require_member};
use super::security::crypto::Crypto;
use super::state::State;

use idempotent::{key_of, respond, run_once};

pub use batched::{BatchedRequest, answer};
pub use idempotent::names;
pub use upload::{MediaType, Upload, is_any_file, place, receive};

/// Something a caller may act on. Loading it checks the permission, so that no handler can forget to.
pub trait Authorize: Sized {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>>;
}

/// Any signed-in caller.
pub struct Anyone;

impl Authorize for Anyone {
    fn authorize<'a>(
        _: &'a HttpRequest,
        _: &'a mut Conn,
        _: &'a Principal,
        _: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async { Ok(Self) })
    }
}

/// The system as a whole, on which the caller needs a permission.
pub struct OnSystem<N>(PhantomData<N>);

impl<N: Needs> Authorize for OnSystem<N> {
    fn authorize<'a>(
        _: &'a HttpRequest,
        _: &'a mut Conn,
        caller: &'a Principal,
        _: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        let may = caller.may(&[], N::PERMISSION);
        Box::pin(async move { if may { Ok(Self(PhantomData)) } else { Err(Problem::new(Code::Forbidden)) } })
    }
}

/// The signed-in member themselves; others get 403.
pub struct Myself;

impl Authorize for Myself {
    fn authorize<'a>(
        _: &'a HttpRequest,
        _: &'a mut Conn,
        caller: &'a Principal,
        _: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        let member = require_member(Some(caller.kind));
        Box::pin(async move { member.map(|()| Self) })
    }
}

/// A request whose caller is known and whose object is authorised.
pub struct Scope<B, T> {
    pub state: web::Data<State>,
    pub context: RequestContext,
    pub caller: Principal,
    pub on: T,
    pub body: B,
    /// When the server accepted the request.
    pub now: DateTime<Utc>,
}

impl<T> Scope<(), T> {
    /// The same with the body of the request.
    fn with_body<B>(self, body: B) -> Scope<B, T> {
        Scope { state: self.state, context: self.context, caller: self.caller, on: self.on, body, now: self.now }
    }
}

impl<B, T> Scope<B, T> {
    /// An audit event by this caller.
    pub fn audit(&self, action: &'static str, object_kind: &'static str, object_id: Uuid) -> audit::AuditEvent<'_> {
        audit::AuditEvent {
            actor_id: Some(self.caller.account_id),
            client_id: self.caller.client_id,
            action,
            object_kind,
            object_id,
            unit_id: None,
            member_id: None,
            request_id: Some(&self.context.request_id),
            details: serde_json::json!({}),
        }
    }
}

/// A read.
pub struct ReadRequest<T> {
    pub conn: PooledConn,
    pub scope: Scope<(), T>,
    pub request: HttpRequest,
}

impl<T> ReadRequest<T> {
    /// Answers 200 with an `ETag`, or 304 when the client has it already.
    pub fn reply<R: Serialize>(&self, body: &R) -> Result<Reply<R>, Problem> {
        reply::json(&self.request, body)
    }
}

/// A write with body `B` on a target `T`.
pub struct WriteRequest<B, T = Anyone> {
    conn: PooledConn,
    scope: Scope<B, T>,
    key: Option<Key>,
}

impl<B, T> Deref for WriteRequest<B, T> {
    type Target = Scope<B, T>;
    fn deref(&self) -> &Self::Target {
        &self.scope
    }
}

impl<B, T> WriteRequest<B, T> {
    /// Does the work in one transaction, together with the idempotency key, and answers what it returned under the
    /// status of the handler's type.
    /// The work may run again after a conflict: it must do nothing outside the database.
    pub async fn commit<R: Serialize, const S: u16>(
        mut self,
        work: impl AsyncFn(&mut Conn, &Scope<B, T>) -> Result<R, Problem>,
    ) -> Result<Reply<R, S>, Problem> {
        let answer =
            transaction(&mut self.conn, async |conn| run_once(conn, (&self.scope, self.key.as_ref()), S, &work).await);
        respond(answer.await?)
    }

    /// The same for work that reads or writes much, and so is given more time.
    pub async fn commit_long<R: Serialize, const S: u16>(
        mut self,
        work: impl AsyncFn(&mut Conn, &Scope<B, T>) -> Result<R, Problem>,
    ) -> Result<Reply<R, S>, Problem> {
        let at_length = async |conn: &mut Conn| run_once(conn, (&self.scope, self.key.as_ref()), S, &work).await;
        let answer = self.conn.long_transaction(at_length);
        respond(answer.await?)
    }
}

/// A request without a sign-in, with a checked body.
pub struct AnonymousRequest<B: Proof> {
    pub state: web::Data<State>,
    pub context: RequestContext,
    pub body: B,
    pub now: DateTime<Utc>,
}

/// A body without a sign-in, and who pays for the request when it holds a token that only this server can have made.
pub trait Proof {
    fn payer(&self, _: &Crypto) -> Option<Payer> {
        None
    }
}

/// Takes a request from the budget of a token, or insists that the address has paid.
fn charge(req: &HttpRequest, state: &State, context: &RequestContext, body: &impl Proof) -> Result<(), Problem> {
    let wait = match body.payer(&state.crypto) {
        Some(payer) => {
            let budget = state.limits.take(payer);
            req.extensions_mut().insert(budget);
            budget.retry_after
        }
        None => context.unpaid,
    };
    wait.map_or(Ok(()), |wait| Err(Problem::new(Code::TooManyRequests).retry_after(wait)))
}

/// The shared state; registered by `app`, so it is always there.
pub fn state_of(req: &HttpRequest) -> Result<web::Data<State>, Problem> {
    req.app_data::<web::Data<State>>().cloned().ok_or_else(|| Problem::internal("no state"))
}

async fn scope<T: Authorize>(req: &HttpRequest) -> Result<(PooledConn, Scope<(), T>), Problem> {
    let state = state_of(req)?;
    let context = RequestContext::of(req);
    let claims = context.claims.clone().ok_or_else(|| Problem::new(Code::Unauthenticated))?;
    let now = state.clock.now();
    let lookout = req.app_data::<web::Data<ChangePoller>>().ok_or_else(|| Problem::internal("no lookout"))?;
    // Every request begins with this bounded wait: when the database hangs, requests do not pile up behind it.
    let sight = lookout.look(&state).await?;
    let mut conn = state.db.conn().await?;
    let authorised = within(DB_TIMEOUT, async {
        let caller = state.authenticator.load(&conn, sight, &[&*claims], now).await?.pop().flatten();
        let caller = caller.ok_or_else(|| Problem::new(Code::Unauthenticated))?;
        let on = T::authorize(req, &mut conn, &caller, now).await?;
        Ok((caller, on))
    });
    let (caller, on) = match authorised.await {
        Ok(authorised) => authorised,
        Err(problem) => {
            // A connection that does not answer is not reused.
            if problem.code == Code::Unavailable {
                conn.discard();
            }
            return Err(problem);
        }
    };
    let scope = Scope { state, context, caller, on, body: (), now };
    Ok((conn, scope))
}

/// Reads the whole body, within the limit that the document sets for the operation.
pub async fn read_body(req: &HttpRequest, payload: &mut Payload) -> Result<web::Bytes, Problem> {
    let limit = RequestContext::of(req).operation.map_or(BODY_BYTES, |operation| operation.body_bytes);
    // What it is said to have can be refused without reading it.
    let declared = declared_length(req).is_some_and(|length| length > limit);
    let read = match declared {
        true => None,
        false => to_bytes_limited(BodyStream::new(payload.take()), limit).await.ok(),
    };
    match read {
        Some(read) => read.map_err(|error| broken(&error)),
        None => Err(Problem::with(
            Code::TooLarge,
            format!("Nội dung lớn nhất {limit} byte."),
            format!("A body has at most {limit} bytes."),
        )),
    }
}

/// The length that a body is said to have.
pub fn declared_length(req: &HttpRequest) -> Option<usize> {
    req.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The same for a caller with a valid token.
async fn read_signed_in(req: &HttpRequest, payload: &mut Payload) -> Result<web::Bytes, Problem> {
    if RequestContext::of(req).claims.is_none() {
        return Err(Problem::new(Code::Unauthenticated));
    }
    read_body(req, payload).await
}

fn parse_body<B: DeserializeOwned>(req: &HttpRequest, bytes: &[u8]) -> Result<B, Problem> {
    let kind = req.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !bytes.is_empty() && !essence.eq_ignore_ascii_case("application/json") {
        return Err(Problem::with(Code::UnsupportedMediaType, "Hãy gửi application/json.", "Send application/json."));
    }
    let operation =
        RequestContext::of(req).operation.ok_or_else(|| Problem::internal("the route is not in the document"))?;
    let mut value = operation.check_body(bytes)?;
    whole_numbers(&mut value);
    // A body that the document allows can always be read; otherwise a library's message would not help the client.
    serde_json::from_value(value)
        .map_err(|_| Problem::with(Code::MalformedBody, "Nội dung không dùng được.", "The body cannot be used."))
}

/// JSON Schema accepts 1.0 as an integer: turns such numbers into integers.
fn whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            if let Some(whole) = number.as_f64().and_then(|number| number.to_string().parse::<i64>().ok()) {
                *value = whole.into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(fields) => fields.values_mut().for_each(whole_numbers),
        _ => {}
    }
}

impl<T: Authorize + 'static> FromRequest for ReadRequest<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = req.clone();
        Box::pin(async move {
            let (conn, scope) = scope(&request).await?;
            Ok(Self { conn, scope, request })
        })
    }
}

impl<B: DeserializeOwned + 'static, T: Authorize + 'static> FromRequest for WriteRequest<B, T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let req = req.clone();
        let mut payload = payload.take();
        Box::pin(async move {
            // A slow body must not hold a connection, and without a valid token it is not read.
            let bytes = read_signed_in(&req, &mut payload).await?;
            let (conn, scope) = scope::<T>(&req).await?;
            let key = key_of(&req, scope.caller.account_id, &bytes)?;
            let body = parse_body(&req, &bytes)?;
            Ok(Self { conn, scope: scope.with_body(body), key })
        })
    }
}

impl<B: DeserializeOwned + Proof + 'static> FromRequest for AnonymousRequest<B> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let req = req.clone();
        let mut payload = payload.take();
        Box::pin(async move {
            let (state, context) = (state_of(&req)?, RequestContext::of(&req));
            let bytes = read_body(&req, &mut payload).await?;
            let body: B = parse_body(&req, &bytes).map_err(|problem| {
                // What cannot be read holds no token either.
                context.unpaid.map_or(problem, |wait| Problem::new(Code::TooManyRequests).retry_after(wait))
            })?;
            charge(&req, &state, &context, &body)?;
            Ok(Self { now: state.clock.now(), context, state, body })
        })
    }
}

/// Query parameters, already checked against the document.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let parsed = web::Query::<T>::from_query(req.query_string());
        std::future::ready(parsed.map(|query| Self(query.into_inner())).map_err(|_| Problem::new(Code::InvalidRequest)))
    }
}

/// An id in the path; 404 for anything that is no id.
pub fn path_id(req: &HttpRequest, name: &str) -> Result<Uuid, Problem> {
    req.match_info().get(name).and_then(|id| id.parse().ok()).ok_or_else(Problem::not_found)
}

/// The body of operations without input: `{}`, or nothing at all.
#[derive(Debug, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Empty {}
