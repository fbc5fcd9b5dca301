//! A month of a unit as an authorised object.

use std::marker::PhantomData;

use actix_web::HttpRequest;
use chrono::{DateTime, NaiveDate, Utc};
use futures_util::future::LocalBoxFuture;
use uuid::Uuid;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::extract::{Authorize, path_id};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::security::access::{Needs, Permission};
use crate::kernel::security::auth::Principal;
use crate::organisation::units;

/// The month of the path's `period` in the unit of its `unit_id`, on which the caller has the permission `N`.
pub struct OnMonth<N> {
    pub unit_id: Uuid,
    pub period: Period,
    needs: PhantomData<N>,
}

impl<N: Needs> Authorize for OnMonth<N> {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let unit_id = path_id(req, "unit_id")?;
            let period = path_period(req)?;
            caller.require(&path(conn, unit_id, period, day_of(now)).await?, N::PERMISSION)?;
            Ok(Self { unit_id, period, needs: PhantomData })
        })
    }
}

/// The same for callers whose permission comes from a unit above: only its superiors reopen what a cell has closed.
pub struct FromAbove {
    pub unit_id: Uuid,
    pub period: Period,
}

impl Authorize for FromAbove {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let unit_id = path_id(req, "unit_id")?;
            let period = path_period(req)?;
            let path = path(conn, unit_id, period, day_of(now)).await?;
            caller.require(&path, Permission::ReopenMonth)?;
            if !caller.may(&path[1..], Permission::ReopenMonth) {
                return Err(Problem::new(Code::Forbidden));
            }
            Ok(Self { unit_id, period })
        })
    }
}

/// 404 for a value that is no month.
fn path_period(req: &HttpRequest) -> Result<Period, Problem> {
    req.match_info().get("period").and_then(|period| period.parse().ok()).ok_or_else(Problem::not_found)
}

/// The unit and its ancestors today; of a unit that has ended, those at the end of the month.
async fn path(conn: &mut Conn, unit_id: Uuid, period: Period, today: NaiveDate) -> Result<Vec<Uuid>, Problem> {
    match units::path(conn, unit_id, today).await {
        Err(problem) if problem.code == Code::NotFound => units::path(conn, unit_id, period.last_day()).await,
        found => found,
    }
}
