//! Writes whose body or answer is a secret: nothing of them is stored for a repetition.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;

use super::{Anyone, Authorize, Scope, parse_body, read_signed_in, scope};
use crate::kernel::db::PooledConn;
use crate::kernel::http::problem::{Problem, text};

/// The mark by which an operation says in the document that it takes no `Idempotency-Key`.
pub const MARK: &str = "x-secret-call";

/// A write with body `B` on a target `T` that takes no `Idempotency-Key`: a kept answer would keep its secret,
/// a kept digest of the body would let a password be guessed. The handler runs its own transaction.
pub struct SecretCall<B, T = Anyone> {
    pub conn: PooledConn,
    pub scope: Scope<B, T>,
}

impl<B: DeserializeOwned + 'static, T: Authorize + 'static> FromRequest for SecretCall<B, T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let req = req.clone();
        let mut payload = payload.take();
        Box::pin(async move {
            // A client that sends a key relies on it: refusing is better than silently doing the work twice.
            if req.headers().contains_key("idempotency-key") {
                return Err(Problem::malformed(
                    "Idempotency-Key",
                    "not_supported",
                    text(
                        "Thao tác này không nhận khóa lặp lại vì có dữ liệu bí mật.",
                        "This operation takes no key, because secrets are never kept.",
                    ),
                ));
            }
            let bytes = read_signed_in(&req, &mut payload).await?;
            let (conn, scope) = scope::<T>(&req).await?;
            let body = parse_body(&req, &bytes)?;
            Ok(Self { conn, scope: scope.with_body(body) })
        })
    }
}
