//! The answer of work that is done once, however often it is asked for with the same key.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use super::Scope;
use crate::kernel::db::Conn;
use crate::kernel::http::idempotency::{self, Claim, Key};
use crate::kernel::http::problem::Problem;

pub(super) enum IdempotentOutcome {
    Fresh(serde_json::Value),
    Replayed(u16, serde_json::Value),
}

/// The work with its key, or the answer that the key has already.
pub(super) async fn run_once<B, T, R: Serialize>(
    conn: &mut Conn,
    (scope, key): (&Scope<B, T>, Option<&Key>),
    status: StatusCode,
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
        idempotency::store(conn, key, status.as_u16(), &body, scope.now).await?;
    }
    Ok(IdempotentOutcome::Fresh(body))
}

pub(super) fn respond(status: StatusCode, answer: IdempotentOutcome) -> Result<HttpResponse, Problem> {
    let (status, body, replayed) = match answer {
        IdempotentOutcome::Fresh(body) => (status, body, false),
        IdempotentOutcome::Replayed(status, body) => {
            (StatusCode::from_u16(status).unwrap_or(StatusCode::OK), body, true)
        }
    };
    let mut response = HttpResponse::build(status);
    if replayed {
        response.insert_header(("Idempotency-Replayed", "true"));
    }
    if status == StatusCode::NO_CONTENT {
        return Ok(response.finish());
    }
    Ok(response.json(body))
}
