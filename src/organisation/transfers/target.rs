//! A transfer as an authorised object, seen from the side that has to act.

use std::marker::PhantomData;

use actix_web::HttpRequest;
use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::extract::{Authorize, path_id};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::security::access::Permission;
use crate::kernel::security::auth::Principal;
use crate::organisation::units;

use super::store;

/// One of the two cells of a transfer.
pub trait Side: 'static {
    /// Whether it is the receiving one.
    const RECEIVING: bool;
}

/// The cell the member leaves.
pub struct LeavingMember;

/// The cell the member comes to.
pub struct Receiving;

impl Side for LeavingMember {
    const RECEIVING: bool = false;
}

impl Side for Receiving {
    const RECEIVING: bool = true;
}

/// The transfer of the path's `transfer_id`, on whose side `S` the caller decides transfers.
pub struct OnTransfer<S> {
    pub transfer_id: Uuid,
    side: PhantomData<S>,
}

impl<S: Side> Authorize for OnTransfer<S> {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let transfer_id = path_id(req, "transfer_id")?;
            let today = day_of(now);
            let (from, to) = store::sides(conn, transfer_id).await?;
            let (mine, other) = if S::RECEIVING { (to, from) } else { (from, to) };
            let mine = units::last_path(conn, mine, today).await?;
            if let Err(problem) = caller.require(&mine, Permission::TransferMembers) {
                let other = units::last_path(conn, other, today).await?;
                // The other side knows the transfer, so there is nothing to hide.
                return Err(if caller.may(&other, Permission::TransferMembers) {
                    Problem::new(Code::Forbidden)
                } else {
                    problem
                });
            }
            Ok(Self { transfer_id, side: PhantomData })
        })
    }
}
