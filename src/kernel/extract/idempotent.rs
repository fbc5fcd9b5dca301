//! The answer of work that is done once, however often it is asked for with the same key.

use actix_web::HttpRequest;
use serde::Serialize;
use uuid::Uuid;

use super::{Scope, state_of};
use crate::kernel::db::Conn;
use crate::kernel::http::context::RequestContext;
use crate::kernel::http::idempotency::{self, Claim, Key};
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::Reply;
use crate::kernel::security::crypto::to_text;

pub(super) enum IdempotentOutcome {
    Fresh(serde_json::Value),
    Replayed(u16, serde_json::Value),
}

/// The work with its key, or the answer that the key has already.
pub(super) async fn run_once<B, T, R: Serialize>(
    conn: &mut Conn,
    (scope, key): (&Scope<B, T>, Option<&Key>),
    status: u16,
    work: &impl AsyncFn(&mut Conn, &Scope<B, T>) -> Result<R, Problem>,
) -> Result<IdempotentOutcome, Problem> {
    if let Some(key) = key
        && let Claim::Done(status, body) = idempotency::claim(conn, key, scope.now).await?
    {
        return Ok(IdempotentOutcome::Replayed(status, body));
    }
    let done = work(conn, scope).await?;
    let body = serde_json::to_value(done).map_err(Problem::internal)?;
    if let Some(key) = key {
        idempotency::store(conn, key, status, &body, scope.now).await?;
    }
    Ok(IdempotentOutcome::Fresh(body))
}

pub(super) fn respond<R: Serialize, const S: u16>(outcome: IdempotentOutcome) -> Result<Reply<R, S>, Problem> {
    let (status, body, replayed) = match outcome {
        IdempotentOutcome::Fresh(body) => (S, body, false),
        IdempotentOutcome::Replayed(status, body) => (status, body, true),
    };
    let text = serde_json::to_string(&body).map_err(Problem::internal)?;
    Ok(super::batched::answer(status, text, replayed))
}

/// What a request is about, whatever way it is written: a key belongs to that.
pub fn names(req: &HttpRequest) -> Result<String, Problem> {
    let operation = RequestContext::of(req).operation.ok_or_else(|| Problem::internal("no operation"))?;
    operation.names(req.match_info().iter(), req.query_string())
}

/// The key of a request, in the name of the account and the app that send it.
pub(super) fn key_of(req: &HttpRequest, principal_id: Uuid, body: &[u8]) -> Result<Option<Key>, Problem> {
    let Some(header) = req.headers().get("idempotency-key") else {
        return Ok(None);
    };
    let key = idempotency::parse(header.to_str().unwrap_or_default())?;
    let client = RequestContext::of(req).claims.and_then(|claims| claims.client_id);
    let operation = match client {
        Some(client) => format!("{client} {}", names(req)?),
        None => names(req)?,
    };
    // Keyed, because a plain digest would allow guessing the citizen ID of a known person.
    let body = to_text(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body).as_ref());
    Ok(Some(Key {
        principal_id,
        operation,
        key: key.to_owned(),
        body_hash: state_of(req)?.crypto.digest("body", &body),
    }))
}
