//! Cases: what looks odd waits for a person to judge. Nothing here changes points. What `jobs` may call.

mod mine;
mod model;
mod patterns;
mod regularity;
mod reveals;
mod routes;
mod store;
mod target;

use chrono::{DateTime, Utc};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::kernel::db::Conn;
use crate::kernel::outbox;
use crate::kernel::problem::Problem;

/// The operations of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(routes::list_cases)
        .service(routes::get_case)
        .service(routes::decide_case)
        .service(mine::list_my_cases);
}

/// Looks at a sign-in, a slip, a day of lookups or a repeated document for what a person should see; lets all other events pass.
///
/// # Errors
/// When the payload is not what identity writes, or the database fails.
pub async fn consume(conn: &mut Conn, event: &outbox::Event, now: DateTime<Utc>) -> Result<(), Problem> {
    patterns::consume(conn, event, now).await?;
    reveals::consume(conn, event, now).await
}

/// Goes one step through the ledger of the last month in search of perfect regularity, inside the caller's transaction;
/// once a day it goes through it all. False when there is nothing left to do today, or another instance is at it.
///
/// # Errors
/// When the database fails.
pub async fn look_for_regularity(conn: &mut Conn, now: DateTime<Utc>) -> Result<bool, Problem> {
    regularity::step(conn, now).await
}
