//! An exemption as an authorised object: its member's cell decides.

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

/// The exemption of the path's `exemption_id`, of a member whose cell the caller manages.
pub struct OnExemption {
    pub exemption_id: Uuid,
    pub member_id: Uuid,
    /// The member's cell today, or the last one.
    pub unit_id: Uuid,
}

impl Authorize for OnExemption {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let exemption_id = path_id(req, "exemption_id")?;
            let member_id = store::get(conn, exemption_id).await?.member_id;
            let unit_id = last_cell_of(conn, member_id, day_of(now)).await?.ok_or_else(Problem::not_found)?;
            let path = units::last_path(conn, unit_id, day_of(now)).await?;
            caller.require(&path, Permission::ManageMembers)?;
            Ok(Self { exemption_id, member_id, unit_id })
        })
    }
}
