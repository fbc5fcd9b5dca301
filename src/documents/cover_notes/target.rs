//! The unit and the document of the path: one that reaches the unit.

use actix_web::HttpRequest;
use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use uuid::Uuid;

use crate::documents::store::{DocumentRow, get, reaches_unit};
use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::extract::{Authorize, path_id};
use crate::kernel::http::problem::Problem;
use crate::kernel::security::access::needs::AnnotateDocuments;
use crate::kernel::security::auth::Principal;
use crate::organisation::OnUnit;

/// A document that reaches the unit of the path, for whose members the caller may add a note.
pub struct DocumentOfUnit {
    pub unit_id: Uuid,
    pub row: DocumentRow,
}

impl Authorize for DocumentOfUnit {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let on = OnUnit::<AnnotateDocuments>::authorize(req, conn, caller, now).await?;
            let row = get(conn, path_id(req, "document_id")?).await?;
            if !row.is_out() || !reaches_unit(conn, row.id, &on.path, day_of(now)).await? {
                return Err(Problem::not_found());
            }
            Ok(Self { unit_id: on.unit_id, row })
        })
    }
}
