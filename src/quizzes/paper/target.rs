//! Sheets as authorised objects: known to those who record attendance and the like for the member's cell.

use actix_web::HttpRequest;
use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::extract::Authorize;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::security::access::Permission;
use crate::kernel::security::auth::Principal;
use crate::organisation::{cell_of, units};

use super::store::{self, StoredSheet};

/// The sheet of the path's `code`, whose member belongs to a unit on which the caller records attestations.
pub struct OnSheet {
    pub sheet: StoredSheet,
    /// The member's cell.
    pub unit_id: Uuid,
}

impl Authorize for OnSheet {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let code = req.match_info().get("code").unwrap_or_default().to_ascii_uppercase();
            if !code.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return Err(Problem::not_found());
            }
            let sheet = store::by_code(conn, &code).await?;
            let today = day_of(now);
            let unit_id = cell_of(conn, sheet.member_id, today).await?.ok_or_else(Problem::not_found)?;
            let path = units::last_path(conn, unit_id, today).await?;
            if caller.may(&path, Permission::RecordAttestations) {
                return Ok(Self { sheet, unit_id });
            }
            let known = caller.may(&path, Permission::ListMembers);
            Err(if known { Problem::new(Code::Forbidden) } else { Problem::not_found() })
        })
    }
}
