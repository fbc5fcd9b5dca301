//! Cases: unusual patterns that a person reviews. A case never changes points.
//!
//! The public functions are those that `jobs` may call.

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
use crate::kernel::http::problem::Problem;
use crate::kernel::outbox;

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
pub async fn consume(conn: &mut Conn, event: &outbox::OutboxEvent, now: DateTime<Utc>) -> Result<(), Problem> {
    patterns::consume(conn, event, now).await?;
    reveals::consume(conn, event, now).await
}

/// Advances the search for perfect regularity in the ledger of the last month by one step, inside the caller's
/// transaction. The search covers the whole ledger once a day. Returns false when nothing is left to do today, or when
/// another instance is searching.
///
/// # Errors
/// When the database fails.
pub async fn look_for_regularity(conn: &mut Conn, now: DateTime<Utc>) -> Result<bool, Problem> {
    regularity::step(conn, now).await
}
