//! An order as an authorised object: for officers who manage all of its units.

use actix_web::HttpRequest;
use chrono::{DateTime, NaiveDate, Utc};
use futures_util::future::LocalBoxFuture;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::extract::{Authorize, path_id};
use crate::kernel::http::problem::Problem;
use crate::kernel::security::access::Permission;
use crate::kernel::security::auth::Principal;
use crate::organisation::units;

use super::model::ReorganisationIn;
use super::{plan, store};

/// The order of the path's `reorganisation_id`.
pub struct OnReorganisation {
    pub reorganisation_id: Uuid,
}

impl Authorize for OnReorganisation {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let reorganisation_id = path_id(req, "reorganisation_id")?;
            let units = store::units_of(conn, reorganisation_id).await?;
            if units.is_empty() {
                return Err(Problem::not_found());
            }
            require_all(conn, caller, units.into_iter(), day_of(now)).await?;
            Ok(Self { reorganisation_id })
        })
    }
}

/// Requires that the caller may give this order: they manage the units, their parents and the targets.
///
/// # Errors
/// 404 for a unit that the caller may not know, 403 for one that they do not manage.
pub async fn require(
    conn: &mut Conn,
    caller: &Principal,
    body: &ReorganisationIn,
    day: NaiveDate,
) -> Result<Vec<Uuid>, Problem> {
    let concerned = plan::concerned(conn, body, day).await?;
    require_all(conn, caller, concerned.iter().copied(), day).await?;
    Ok(concerned.into_iter().collect())
}

/// Checks hidden units before forbidden ones: an order reveals nothing about units that the caller may not know.
async fn require_all(
    conn: &mut Conn,
    caller: &Principal,
    units: impl Iterator<Item = Uuid>,
    day: NaiveDate,
) -> Result<(), Problem> {
    let mut refused = None;
    for unit in units {
        let path = units::last_path(conn, unit, day).await?;
        if let Err(problem) = caller.require(&path, Permission::ManageUnits) {
            if problem.code.status() == 404 {
                return Err(problem);
            }
            refused = Some(problem);
        }
    }
    refused.map_or(Ok(()), Err)
}
