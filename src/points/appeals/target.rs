//! An appeal as an authorised object: permissions are checked on its member's cell.

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
use crate::organisation::{last_cell_of, units};

use super::store;

/// The appeal of the path's `appeal_id`, of a member on whose cell the caller decides adjustments.
pub struct OnAppeal {
    pub appeal_id: Uuid,
    /// The member's cell today, or the last one.
    pub unit_id: Uuid,
}

impl Authorize for OnAppeal {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let (appeal_id, today) = (path_id(req, "appeal_id")?, day_of(now));
            let member_id = store::member_of(conn, appeal_id).await?;
            let unit_id = last_cell_of(conn, member_id, today).await?.ok_or_else(Problem::not_found)?;
            let path = units::last_path(conn, unit_id, today).await?;
            caller.require(&path, Permission::DecideAdjustments)?;
            Ok(Self { appeal_id, unit_id })
        })
    }
}
