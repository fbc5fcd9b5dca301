//! A write whose body is a file: taken in at the pace of the line, then checked and handled like any other write.

use std::marker::PhantomData;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::{Authorize, Key, Scope, WriteRequest, declared_length, key_of, scope, state_of};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::spool::{self, Spooled, too_large};
use crate::kernel::http::turns::Turn;
use crate::kernel::state::State;

/// The kind of file an operation takes.
pub trait MediaType: 'static {
    /// Its `Content-Type`.
    const NAME: &'static str;
    /// Other types that it takes.
    const OTHERS: &'static [&'static str] = &[];
    /// The largest file taken, bytes.
    const BYTES: usize;
}

/// A write on a target `T` whose body is a file of type `M`. Holds no connection while the file is checked.
pub struct Upload<M, T> {
    pub scope: Scope<Bytes, T>,
    key: Option<Key>,
    media: PhantomData<M>,
    /// Released when the file has been processed.
    _turns: (Turn, OwnedSemaphorePermit),
}

/// How long a whole upload waits for a place; one takes about a second.
const WAIT: Duration = Duration::from_secs(30);
/// When a sender who is refused because of an upload in progress may try again; by then a dead one is noticed.
const RETRY_SECONDS: u64 = 30;

/// A place in memory: files are held there a few at a time, whatever account sends them.
///
/// # Errors
/// 503 when none becomes free.
pub async fn place(state: &State) -> Result<OwnedSemaphorePermit, Problem> {
    let turn = tokio::time::timeout(WAIT, state.upload_places.clone().acquire_owned()).await;
    turn.map_err(|_| Problem::unavailable("too many uploads at once"))?.map_err(Problem::internal)
}

/// Takes in a file of at most `most` bytes. An account sends one at a time, so that it is never in the way of others.
///
/// # Errors
/// 429 while the account sends another one, 413 beyond the limit, 408 when it stalls, 400 when it breaks off.
pub async fn receive(
    req: &HttpRequest,
    state: &State,
    account_id: Uuid,
    payload: Payload,
    most: usize,
) -> Result<(Turn, Spooled), Problem> {
    if declared_length(req).is_some_and(|bytes| bytes > most) {
        return Err(too_large(most));
    }
    let turn = state.uploads.take(account_id, 1).ok_or_else(busy)?;
    let spooled = spool::receive(&state.spool, payload, most).await?;
    Ok((turn, spooled))
}

fn busy() -> Problem {
    let problem = Problem::with(
        Code::TooManyRequests,
        "Tài khoản này đang gửi một tệp khác; hãy đợi tệp đó gửi xong.",
        "This account is sending another file: wait until it has arrived.",
    );
    problem.retry_after(RETRY_SECONDS)
}

impl<M, T> Upload<M, T> {
    /// Goes on to the write.
    ///
    /// # Errors
    /// 503 when there is no connection.
    pub async fn into_call(self) -> Result<WriteRequest<Bytes, T>, Problem> {
        Ok(WriteRequest { conn: self.scope.state.db.conn().await?, scope: self.scope, key: self.key })
    }
}

impl<M: MediaType, T: Authorize + 'static> FromRequest for Upload<M, T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let req = req.clone();
        let payload = payload.take();
        Box::pin(async move {
            // Nothing is read for callers without the right, and a slow upload must not hold a connection.
            let (conn, first) = scope::<T>(&req).await?;
            drop(conn);
            require_media::<M>(&req)?;
            let state = state_of(&req)?;
            let (turn, spooled) = receive(&req, &state, first.caller.account_id, payload, M::BYTES).await?;
            let place = place(&state).await?;
            let body = spooled.into_bytes().await?;
            // The caller may have lost the right during the upload.
            let (conn, scope) = scope::<T>(&req).await?;
            drop(conn);
            let key = key_of(&req, scope.caller.account_id, &body)?;
            Ok(Self { scope: scope.with_body(body), key, media: PhantomData, _turns: (turn, place) })
        })
    }
}

/// Whether a `Content-Type` says no more than that it is a file.
pub fn is_any_file(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/octet-stream")
}

fn require_media<M: MediaType>(req: &HttpRequest) -> Result<(), Problem> {
    let kind = req.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    let mut taken = std::iter::once(&M::NAME).chain(M::OTHERS);
    if taken.any(|name| essence.eq_ignore_ascii_case(name)) || is_any_file(essence) {
        return Ok(());
    }
    let names = std::iter::once(&M::NAME).chain(M::OTHERS).copied().collect::<Vec<_>>();
    let (vi, en) = (names.join(", "), names.join(", "));
    Err(Problem::with(Code::UnsupportedMediaType, format!("Hãy gửi {vi}."), format!("Send {en}.")))
}
