//! Attempts as authorised objects: a member knows their own alone.

use actix_web::HttpRequest;
use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::extract::{Authorize, path_id};
use crate::kernel::http::problem::Problem;
use crate::kernel::security::auth::{AccountKind, Principal};
use crate::quizzes::publishing::store::{QuizRow, get, reaches};

use super::store;

/// A quiz that is published to the calling member.
pub struct TakeableQuiz(pub QuizRow);

impl Authorize for TakeableQuiz {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        _: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let id = path_id(req, "quiz_id")?;
            if caller.kind != AccountKind::Member || !reaches(conn, id, caller.account_id, &caller.home).await? {
                return Err(Problem::not_found());
            }
            Ok(Self(get(conn, id).await?))
        })
    }
}

/// The caller's own attempt of the path's `attempt_id`; 404 for those of others.
pub struct MyAttempt(pub Uuid);

impl Authorize for MyAttempt {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        _: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let id = path_id(req, "attempt_id")?;
            if store::belongs_to(conn, id, caller.account_id).await? { Ok(Self(id)) } else { Err(Problem::not_found()) }
        })
    }
}
