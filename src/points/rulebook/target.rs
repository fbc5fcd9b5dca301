//! A change of a rule as an authorised object: for the officers of its unit.

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

/// The change of the path's `change_id`, on whose unit the caller manages rules.
pub struct OnRuleChange {
    pub change_id: Uuid,
    pub unit_id: Uuid,
    /// The unit and its ancestors today, the unit first.
    pub path: Vec<Uuid>,
}

impl Authorize for OnRuleChange {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let change_id = path_id(req, "change_id")?;
            let unit_id = store::unit_of(conn, change_id).await?;
            let path = units::last_path(conn, unit_id, day_of(now)).await?;
            caller.require(&path, Permission::ManageRules)?;
            Ok(Self { change_id, unit_id, path })
        })
    }
}
