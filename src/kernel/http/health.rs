//! Liveness and readiness.

use std::time::Duration;

use actix_web::{HttpResponse, route, web};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::Timestamptz;
use diesel_async::RunQueryDsl;
use serde_json::json;

use super::problem::Problem;
use crate::kernel::clock::Clock;
use crate::kernel::db::within;
use crate::kernel::state::State;

/// Short, since load balancers send requests elsewhere while the database hangs.
const DB_TIMEOUT: Duration = Duration::from_secs(2);
/// How far this machine's clock may be from the database's, seconds.
const CLOCK_TOLERANCE: i64 = 2;

/// The process answers. HEAD too, with which some load balancers ask.
#[route("/healthz", method = "GET", method = "HEAD")]
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

#[derive(QueryableByName)]
struct Now {
    #[diesel(sql_type = Timestamptz)]
    now: DateTime<Utc>,
}

/// Requests can be served: the database answers, keys are in force, the clocks agree.
#[route("/readyz", method = "GET", method = "HEAD")]
pub async fn readyz(state: web::Data<State>) -> Result<HttpResponse, Problem> {
    within(DB_TIMEOUT, ready(&state)).await?;
    Ok(HttpResponse::Ok().json(json!({"status": "ready"})))
}

async fn ready(state: &State) -> Result<(), Problem> {
    let mut conn = state.db.conn().await?;
    let there: Now = diesel::sql_query("SELECT clock_timestamp() AS now").get_result(&mut *conn).await?;
    if matches!(state.clock, Clock::System) && (there.now - state.clock.now()).num_seconds().abs() > CLOCK_TOLERANCE {
        return Err(Problem::unavailable("this machine's clock and the database's differ"));
    }
    if state.keys.current().signing.is_none() {
        return Err(Problem::unavailable("no signing key in force"));
    }
    Ok(())
}
