//! Grants as authorised objects, and the list of a unit's.

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

use super::{rule, store};

/// The unit of the path's `unit_id`, whose grants the caller manages or inspects.
pub struct OnGrantsOf {
    pub unit_id: Uuid,
}

impl Authorize for OnGrantsOf {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let unit_id = path_id(req, "unit_id")?;
            let path = units::last_path(conn, unit_id, day_of(now)).await?;
            if !caller.may(&path, Permission::ReadAudit) {
                caller.require(&path, Permission::ManageGrants)?;
            }
            Ok(Self { unit_id })
        })
    }
}

/// The grant of the path's `grant_id`, on a unit where the caller may revoke it.
pub struct OnGrant {
    pub grant_id: Uuid,
    pub unit_id: Uuid,
    pub account_id: Uuid,
}

impl Authorize for OnGrant {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let grant_id = path_id(req, "grant_id")?;
            let (account_id, unit_id) = store::place(conn, grant_id).await?;
            // Administrators of the whole system are appointed and removed outside the API.
            let unit_id = unit_id.ok_or_else(Problem::not_found)?;
            let path = units::last_path(conn, unit_id, day_of(now)).await?;
            rule::require(caller, &path)?;
            Ok(Self { grant_id, unit_id, account_id })
        })
    }
}
