//! The answer of work that is done once, however often it is asked for with the same key.

use serde::Serialize;

use super::Scope;
use crate::kernel::db::Conn;
use crate::kernel::http::idempotency::{self, Claim, Key};
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::Reply;

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
