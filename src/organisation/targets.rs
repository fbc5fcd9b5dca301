//! Units and members as authorised objects: loading one checks the permission on it.

use std::marker::PhantomData;

use actix_web::http::Method;
use actix_web::{HttpRequest, web};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use futures_util::future::LocalBoxFuture;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::memberships;
use crate::kernel::extract::{Authorize, path_id};
use crate::kernel::http::problem::Problem;
use crate::kernel::security::access::Needs;
use crate::kernel::security::auth::Principal;

use super::units;

/// The unit of the path's `unit_id`, on which the caller has the permission `N`.
pub struct OnUnit<N> {
    pub unit_id: Uuid,
    /// The unit and its ancestors today, the unit first.
    pub path: Vec<Uuid>,
    needs: PhantomData<N>,
}

impl<N: Needs> Authorize for OnUnit<N> {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let unit_id = path_id(req, "unit_id")?;
            let path = seen(req, conn, unit_id, day_of(now)).await?;
            caller.require(&path, N::PERMISSION)?;
            Ok(Self { unit_id, path, needs: PhantomData })
        })
    }
}

/// The unit of the query's `unit_id`, on which the caller has the permission `N`.
pub struct OnUnitOfQuery<N> {
    pub unit_id: Uuid,
    /// The unit and its ancestors today, the unit first.
    pub path: Vec<Uuid>,
    needs: PhantomData<N>,
}

#[derive(serde::Deserialize)]
struct UnitOfQuery {
    unit_id: Uuid,
}

impl<N: Needs> Authorize for OnUnitOfQuery<N> {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let query = web::Query::<UnitOfQuery>::from_query(req.query_string());
            let unit_id = query.map_err(|_| Problem::not_found())?.unit_id;
            let path = seen(req, conn, unit_id, day_of(now)).await?;
            caller.require(&path, N::PERMISSION)?;
            Ok(Self { unit_id, path, needs: PhantomData })
        })
    }
}

/// The path of a unit by which rights on it are judged. What a unit was before it ended can still be read by those above the place
/// it had last; nothing new is written there.
async fn seen(req: &HttpRequest, conn: &mut Conn, unit_id: Uuid, day: NaiveDate) -> Result<Vec<Uuid>, Problem> {
    if req.method() == Method::GET {
        units::last_path(conn, unit_id, day).await
    } else {
        units::path(conn, unit_id, day).await
    }
}

/// The member of the path's `member_id`, on whose cell the caller has the permission `N`. Of a member without a cell it is the last
/// one, or what is above the place it had last.
pub struct OnMember<N> {
    pub member_id: Uuid,
    /// The member's cell today, or the last one.
    pub unit_id: Uuid,
    /// The cell and its ancestors, the cell first.
    pub path: Vec<Uuid>,
    needs: PhantomData<N>,
}

impl<N: Needs> Authorize for OnMember<N> {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let member_id = path_id(req, "member_id")?;
            let unit_id = last_cell_of(conn, member_id, day_of(now)).await?.ok_or_else(Problem::not_found)?;
            let path = units::last_path(conn, unit_id, day_of(now)).await?;
            caller.require(&path, N::PERMISSION)?;
            Ok(Self { member_id, unit_id, path, needs: PhantomData })
        })
    }
}

/// The cell a member belongs to on a day.
pub async fn cell_of(conn: &mut Conn, member_id: Uuid, day: NaiveDate) -> Result<Option<Uuid>, Problem> {
    Ok(memberships::table
        .filter(memberships::member_id.eq(member_id))
        .filter(memberships::valid_from.le(day))
        .filter(memberships::valid_to.is_null().or(memberships::valid_to.gt(day)))
        .select(memberships::unit_id)
        .first(conn)
        .await
        .optional()?)
}

/// The cell a member belongs to on a day, or belonged to last before it: its officers and those above them decide on what
/// concerns the member.
pub async fn last_cell_of(conn: &mut Conn, member_id: Uuid, day: NaiveDate) -> Result<Option<Uuid>, Problem> {
    Ok(memberships::table
        .filter(memberships::member_id.eq(member_id))
        .filter(memberships::valid_from.le(day))
        .order(memberships::valid_from.desc())
        .select(memberships::unit_id)
        .first(conn)
        .await
        .optional()?)
}
