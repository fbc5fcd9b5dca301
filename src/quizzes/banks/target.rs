//! Banks as authorised objects: only those who may manage quizzes of the owning unit know them.

use actix_web::HttpRequest;
use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::extract::{Authorize, path_id};
use crate::kernel::http::problem::Problem;
use crate::kernel::security::access::Permission;
use crate::kernel::security::auth::Principal;
use crate::organisation::units;

use super::store;

/// The bank of the path's `bank_id`, on whose unit the caller manages quizzes.
pub struct OnBank {
    pub bank_id: Uuid,
    pub unit_id: Uuid,
}

impl Authorize for OnBank {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move { on_bank(conn, path_id(req, "bank_id")?, caller, now).await })
    }
}

/// The bank with this id; 404 for those who do not manage the quizzes of its unit.
pub async fn on_bank(
    conn: &mut Conn,
    bank_id: Uuid,
    caller: &Principal,
    now: DateTime<Utc>,
) -> Result<OnBank, Problem> {
    let unit_id = store::unit_of(conn, bank_id).await?;
    let path = units::last_path(conn, unit_id, day_of(now)).await?;
    if caller.may(&path, Permission::ManageQuizzes) {
        Ok(OnBank { bank_id, unit_id })
    } else {
        Err(Problem::not_found())
    }
}
