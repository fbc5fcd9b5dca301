//! Ranks by points, within the privacy rules: who sees whose name.

pub mod batches;
mod boards;
mod cells;
mod model;
mod routes;
mod span;
mod standings;
mod store;

use chrono::{DateTime, Utc};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;

pub use batches::{Ranks, start};
pub use boards::check::{differences, give_up};
pub use boards::kept::make_next as keep_next_board;
pub use boards::rebuild::{RebuildContext, rebuild};
pub use boards::redis_sync::{Lost, follow};
pub use span::Span;

/// The operations of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(routes::get_my_rank)
        .service(routes::get_neighbourhood)
        .service(routes::get_member_leaderboard)
        .service(cells::get_cell_leaderboard);
}

/// Every board that is projected now: of the present month, quarter and year.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn all_boards(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<Lost>, Problem> {
    let today = day_of(now);
    let units = store::large_units(conn, &model::LARGE_KINDS, today).await?;
    let spans = Span::around(Period::containing(today));
    Ok(spans.into_iter().flat_map(|span| units.iter().map(move |unit| (*unit, span))).collect())
}
