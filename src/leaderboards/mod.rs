//! Ranks by points, within the privacy rules: who sees whose name.

mod model;
mod projection;
mod routes;
mod store;

use utoipa_actix_web::service_config::ServiceConfig;

/// The operations of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config.service(routes::get_member_leaderboard);
}
