//! A client as an authorised object: for officers of its unit, and those who review it.

use std::marker::PhantomData;

use actix_web::HttpRequest;
use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::extract::{Authorize, path_id};
use crate::kernel::http::problem::Problem;
use crate::kernel::security::access::{Needs, Permission};
use crate::kernel::security::auth::Principal;
use crate::organisation::units;

use super::store::{self, Client};

/// The client of the path's `client_id`, on whose unit the caller has the permission `N`.
pub struct OnClient<N> {
    pub client: Client,
    needs: PhantomData<N>,
}

impl<N: Needs> Authorize for OnClient<N> {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let client = store::get(conn, path_id(req, "client_id")?).await?;
            let path = units::last_path(conn, client.unit_id, day_of(now)).await?;
            if !caller.may(&path, Permission::ManageApps) {
                // Members know apps from what they allowed, not from here.
                return Err(Problem::not_found());
            }
            caller.require(&path, N::PERMISSION)?;
            Ok(Self { client, needs: PhantomData })
        })
    }
}
