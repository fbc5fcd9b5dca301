//! Decisions as authorised objects, and a unit's inbox.

use actix_web::{HttpRequest, web};
use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::extract::{Authorize, path_id};
use crate::kernel::http::problem::Problem;
use crate::kernel::security::access::Permission;
use crate::kernel::security::auth::Principal;
use crate::organisation::units;

use super::eligibility::may_read;
use super::model::Registry;
use super::store;

fn kinds_of(req: &HttpRequest) -> Result<Registry, Problem> {
    req.app_data::<web::Data<Registry>>()
        .map(|kinds| ***kinds)
        .ok_or_else(|| Problem::internal("no kinds of decisions"))
}

/// The decision of the path's `decision_id`, which the caller may see. Whether they may decide is checked under its
/// lock.
pub struct OnDecision {
    pub decision_id: Uuid,
    pub kinds: Registry,
}

impl Authorize for OnDecision {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let kinds = kinds_of(req)?;
            let decision_id = path_id(req, "decision_id")?;
            let decision = store::get(conn, decision_id).await?;
            let kind = kinds.find(&decision.kind)?;
            let path = units::last_path(conn, decision.unit_id, day_of(now)).await?;
            if caller.account_id != decision.proposed_by && !may_read(caller, kind, &path) {
                caller.require(&path, kind.deciding())?;
            }
            Ok(Self { decision_id, kinds })
        })
    }
}

/// The unit of the path's `unit_id`, where the caller proposes, decides or inspects something.
pub struct OnInbox {
    pub unit_id: Uuid,
    /// The kinds that the caller may see there.
    pub readable: Vec<&'static str>,
    pub kinds: Registry,
}

impl Authorize for OnInbox {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let kinds = kinds_of(req)?;
            let unit_id = path_id(req, "unit_id")?;
            let path = units::last_path(conn, unit_id, day_of(now)).await?;
            let readable: Vec<&str> =
                kinds.all().filter(|kind| may_read(caller, *kind, &path)).map(|kind| kind.code()).collect();
            if readable.is_empty() {
                caller.require(&path, Permission::ReadCases)?;
            }
            Ok(Self { unit_id, readable, kinds })
        })
    }
}
