//! An attestation as an authorised object: permissions are checked on its cell.
//! Once the cell has ended, its former parents count.

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
use crate::organisation::units;
use crate::points::officers::require_any;

use super::store;

/// Permissions that allow reading attestations; any of them suffices.
pub const READERS: &[Permission] =
    &[Permission::RecordAttestations, Permission::ConfirmAttestations, Permission::ReadCases];

/// The attestation of the path's `attestation_id`, on whose cell the caller has the permission `N`.
pub struct OnAttestation<N> {
    pub attestation_id: Uuid,
    needs: PhantomData<N>,
}

impl<N: Needs> Authorize for OnAttestation<N> {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let attestation_id = path_id(req, "attestation_id")?;
            let path = path_of(conn, attestation_id, now).await?;
            caller.require(&path, N::PERMISSION)?;
            Ok(Self { attestation_id, needs: PhantomData })
        })
    }
}

/// The same for callers with read access.
pub struct ReadableAttestation {
    pub attestation_id: Uuid,
}

impl Authorize for ReadableAttestation {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let attestation_id = path_id(req, "attestation_id")?;
            let path = path_of(conn, attestation_id, now).await?;
            require_any(caller, &path, READERS)?;
            Ok(Self { attestation_id })
        })
    }
}

async fn path_of(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> Result<Vec<Uuid>, Problem> {
    let unit_id = store::unit_of(conn, id).await?;
    units::last_path(conn, unit_id, day_of(now)).await
}
