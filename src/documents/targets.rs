//! Documents as authorised objects: loading one decides what the caller may know and do.

use std::marker::PhantomData;

use actix_web::HttpRequest;
use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::extract::{Authorize, path_id};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::security::access::{Needs, Permission};
use crate::kernel::security::auth::{AccountKind, Principal};
use crate::organisation::units;

use super::store;

/// The document of the path's `document_id`, on whose owning unit the caller has the permission `N`.
pub struct OnDocument<N> {
    pub document_id: Uuid,
    /// The unit that owns it.
    pub unit_id: Uuid,
    needs: PhantomData<N>,
}

impl<N: Needs> Authorize for OnDocument<N> {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let row = store::get(conn, path_id(req, "document_id")?).await?;
            let path = units::last_path(conn, row.unit_id, day_of(now)).await?;
            if !caller.may(&path, N::PERMISSION) {
                let known = caller.may(&path, Permission::PublishDocuments)
                    || store::reaches(conn, row.id, caller, now).await?;
                return Err(if known { Problem::new(Code::Forbidden) } else { Problem::not_found() });
            }
            Ok(Self { document_id: row.id, unit_id: row.unit_id, needs: PhantomData })
        })
    }
}

/// A document the caller may read: distributed to their cell, or theirs to publish.
pub struct Readable {
    pub row: store::DocumentRow,
    /// Whether the caller may publish it, and so sees drafts, recalled ones and the distribution.
    pub publisher: bool,
}

impl Authorize for Readable {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let row = store::get(conn, path_id(req, "document_id")?).await?;
            let path = units::last_path(conn, row.unit_id, day_of(now)).await?;
            let publisher = caller.may(&path, Permission::PublishDocuments);
            if !publisher && !store::reaches(conn, row.id, caller, now).await? {
                return Err(Problem::not_found());
            }
            Ok(Self { row, publisher })
        })
    }
}

/// A document distributed to the calling member's cell: what can be read for points.
pub struct Distributed {
    pub row: store::DocumentRow,
}

impl Authorize for Distributed {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let id = path_id(req, "document_id")?;
            if caller.kind != AccountKind::Member || !store::reaches(conn, id, caller, now).await? {
                return Err(Problem::not_found());
            }
            let row = store::get(conn, id).await?;
            Ok(Self { row })
        })
    }
}
