//! A proposal as an authorised object: permissions are checked on its member's cell.

use std::marker::PhantomData;

use actix_web::HttpRequest;
use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::extract::{Authorize, path_id};
use crate::kernel::http::problem::Problem;
use crate::kernel::security::access::{Needs, Permission};
use crate::kernel::security::auth::Principal;
use crate::organisation::{last_cell_of, units};
use crate::points::officers::require_any;

use super::store;

/// Permissions that allow reading proposals; any of them suffices.
pub const READERS: &[Permission] =
    &[Permission::ProposeAdjustments, Permission::DecideAdjustments, Permission::ReadCases];

/// The proposal of the path's `adjustment_id`, on whose member's cell the caller has the permission `N`.
pub struct OnAdjustment<N> {
    pub adjustment_id: Uuid,
    needs: PhantomData<N>,
}

impl<N: Needs> Authorize for OnAdjustment<N> {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let adjustment_id = path_id(req, "adjustment_id")?;
            let path = path_of(conn, adjustment_id, now).await?;
            caller.require(&path, N::PERMISSION)?;
            Ok(Self { adjustment_id, needs: PhantomData })
        })
    }
}

/// The same for callers with read access.
pub struct ReadableAdjustment {
    pub adjustment_id: Uuid,
}

impl Authorize for ReadableAdjustment {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let adjustment_id = path_id(req, "adjustment_id")?;
            let path = path_of(conn, adjustment_id, now).await?;
            require_any(caller, &path, READERS)?;
            Ok(Self { adjustment_id })
        })
    }
}

/// The member's cell today, or the last one, with its ancestors; never empty.
async fn path_of(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> Result<Vec<Uuid>, Problem> {
    let (member_id, today) = (store::read(conn, id).await?.member_id, day_of(now));
    let unit_id = last_cell_of(conn, member_id, today).await?.ok_or_else(Problem::not_found)?;
    units::last_path(conn, unit_id, today).await
}
