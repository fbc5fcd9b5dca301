//! Quizzes as authorised objects: loading one decides what the caller may know and do.

use std::marker::PhantomData;

use actix_web::HttpRequest;
use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::extract::{Authorize, path_id};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::security::access::{Needs, Permission};
use crate::kernel::security::auth::{AccountKind, Principal};
use crate::organisation::units;

use super::store::{self, QuizRow};

async fn reaches(conn: &mut Conn, quiz_id: Uuid, caller: &Principal) -> Result<bool, Problem> {
    Ok(caller.kind == AccountKind::Member && store::reaches(conn, quiz_id, caller.account_id, &caller.home).await?)
}

/// The quiz of the path's `quiz_id`, on whose unit the caller has the permission `N`.
pub struct OnQuiz<N> {
    pub quiz: QuizRow,
    needs: PhantomData<N>,
}

impl<N: Needs> Authorize for OnQuiz<N> {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let quiz = store::get(conn, path_id(req, "quiz_id")?).await?;
            let path = units::last_path(conn, quiz.unit_id, day_of(now)).await?;
            if caller.may(&path, N::PERMISSION) {
                return Ok(Self { quiz, needs: PhantomData });
            }
            let known = caller.may(&path, Permission::ManageQuizzes) || reaches(conn, quiz.id, caller).await?;
            Err(if known { Problem::new(Code::Forbidden) } else { Problem::not_found() })
        })
    }
}

/// A quiz the caller may see: published to them, or theirs to manage.
pub struct VisibleQuiz {
    pub quiz: QuizRow,
    /// Whether the caller manages it, and so sees drafts and where its questions come from.
    pub manager: bool,
    /// Whether the caller may take it.
    pub reached: bool,
}

impl Authorize for VisibleQuiz {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let quiz = store::get(conn, path_id(req, "quiz_id")?).await?;
            let path = units::last_path(conn, quiz.unit_id, day_of(now)).await?;
            let manager = caller.may(&path, Permission::ManageQuizzes);
            let reached = reaches(conn, quiz.id, caller).await?;
            if manager || reached { Ok(Self { quiz, manager, reached }) } else { Err(Problem::not_found()) }
        })
    }
}
