//! One small answer for a phone: what changed for its member since last time.

mod changes;
mod cursor;
mod routes;

use utoipa_actix_web::service_config::ServiceConfig;

/// The operations of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config.service(routes::synchronise);
}
