//! A case as an authorised object: for the inspectors of its unit.

use std::marker::PhantomData;

use actix_web::HttpRequest;
use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::extract::{Authorize, path_id};
use crate::kernel::http::problem::Problem;
use crate::kernel::security::access::Needs;
use crate::kernel::security::auth::Principal;
use crate::organisation::units;

use super::store;

/// The case of the path's `case_id`, on whose unit the caller has the permission `N`.
pub struct OnCase<N> {
    pub case_id: Uuid,
    pub unit_id: Uuid,
    /// The member, the device or the officer it is about.
    pub subject: Uuid,
    needs: PhantomData<N>,
}

impl<N: Needs> Authorize for OnCase<N> {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let case_id = path_id(req, "case_id")?;
            let (unit_id, subject) = store::place(conn, case_id).await?;
            let path = units::last_path(conn, unit_id, day_of(now)).await?;
            if !caller.may(&path, N::PERMISSION) {
                // Only inspectors may learn that the case exists, even if the caller knows the unit.
                return Err(Problem::not_found());
            }
            Ok(Self { case_id, unit_id, subject, needs: PhantomData })
        })
    }
}
