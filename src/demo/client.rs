//! The demo's app of a third party, so that developers can try OAuth at once.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::apps::{DemoClient, demo_client};
use crate::kernel::db::Conn;
use crate::kernel::db::schema::grants;
use crate::kernel::http::problem::Problem;
use crate::kernel::security::access::Role;
use crate::kernel::state::State;

/// What people see when they are asked to allow it.
const NAME: &str = "Bản tin phường (ứng dụng mẫu)";

/// The app of the first committee that has an officer, made when it is not there. None where no committee has one.
///
/// # Errors
/// When the database cannot be reached.
pub async fn client(state: &State) -> Result<Option<DemoClient>, Problem> {
    let now = state.clock.now();
    state.work.transaction(async |conn| made(conn, state, now).await).await
}

async fn made(conn: &mut Conn, state: &State, now: DateTime<Utc>) -> Result<Option<DemoClient>, Problem> {
    let officer = first(conn, Role::CommitteeOfficer).await?;
    let administrator = first(conn, Role::SystemAdministrator).await?;
    let (Some((officer, Some(unit))), Some((administrator, _))) = (officer, administrator) else { return Ok(None) };
    demo_client(conn, &state.crypto, (unit, NAME), (officer, administrator), now).await.map(Some)
}

async fn first(conn: &mut Conn, role: Role) -> Result<Option<(Uuid, Option<Uuid>)>, Problem> {
    Ok(grants::table
        .filter(grants::role.eq(role.as_str()))
        .filter(grants::revoked_at.is_null())
        .order(grants::id)
        .select((grants::account_id, grants::unit_id))
        .first(conn)
        .await
        .optional()?)
}
