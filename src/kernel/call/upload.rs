//! A write whose body is a file: checked for its type and size, then handled like any other write.

use std::marker::PhantomData;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use tokio::sync::OwnedSemaphorePermit;

use super::{Call, Key, Scope, Target, key_of, scope, state_of};
use crate::kernel::problem::{Code, Problem};
use crate::kernel::state::State;

/// The kind of file an operation takes.
pub trait MediaType: 'static {
    /// Its `Content-Type`.
    const NAME: &'static str;
    /// The largest file taken, bytes.
    const BYTES: usize;
}

/// A write on a target `T` whose body is a file of type `M`. Holds no connection, so that the file can be looked at in peace.
pub struct Upload<M, T> {
    pub scope: Scope<Bytes, T>,
    key: Option<Key>,
    media: PhantomData<M>,
    /// Given back when the file has been dealt with.
    _place: OwnedSemaphorePermit,
}

/// How long an upload waits for a place, and how long it may take.
const WAIT: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(120);

/// Files are held in memory while they are checked: a few at a time, whoever sends them.
async fn place(state: &State) -> Result<OwnedSemaphorePermit, Problem> {
    let turn = tokio::time::timeout(WAIT, state.upload_places.clone().acquire_owned()).await;
    turn.map_err(|_| Problem::unavailable("too many uploads at once"))?.map_err(Problem::internal)
}

impl<M, T> Upload<M, T> {
    /// Goes on to the write.
    ///
    /// # Errors
    /// 503 when there is no connection.
    pub async fn into_call(self) -> Result<Call<Bytes, T>, Problem> {
        Ok(Call { conn: self.scope.state.db.conn().await?, scope: self.scope, key: self.key })
    }
}

impl<M: MediaType, T: Target + 'static> FromRequest for Upload<M, T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let req = req.clone();
        let payload = payload.take();
        Box::pin(async move {
            // Nothing is read for whoever may not, and a slow upload must not hold a connection.
            drop(scope::<T>(&req).await?);
            let state = state_of(&req)?;
            let place = place(&state).await?;
            let body = tokio::time::timeout(LONGEST, read::<M>(&req, payload)).await.map_err(|_| too_slow())??;
            // It may have outlasted the right to it.
            let (conn, scope) = scope::<T>(&req).await?;
            drop(conn);
            let key = key_of(&req, scope.caller.account_id, &body)?;
            let Scope { state, context, caller, on, now, .. } = scope;
            let scope = Scope { state, context, caller, on, body, now };
            Ok(Self { scope, key, media: PhantomData, _place: place })
        })
    }
}

/// Whether a `Content-Type` says no more than that it is a file.
pub fn is_any_file(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/octet-stream")
}

async fn read<M: MediaType>(req: &HttpRequest, mut payload: Payload) -> Result<web::Bytes, Problem> {
    let kind = req.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case(M::NAME) && !is_any_file(essence) {
        return Err(Problem::with(
            Code::UnsupportedMediaType,
            format!("Hãy gửi {}.", M::NAME),
            format!("Send {}.", M::NAME),
        ));
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Problem::new(Code::MalformedBody))?;
        if body.len() + chunk.len() > M::BYTES {
            return Err(Problem::with(
                Code::TooLarge,
                format!("Tệp lớn nhất {} byte.", M::BYTES),
                format!("A file has at most {} bytes.", M::BYTES),
            ));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn too_slow() -> Problem {
    Problem::with(Code::MalformedBody, "Tệp được gửi quá chậm.", "The file arrived too slowly.")
}
