//! Deliveries of events that failed: administrators see them and have them tried again.

mod routes;

use utoipa_actix_web::service_config::ServiceConfig;

/// The operations of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config.service(routes::list_failed_deliveries).service(routes::replay_delivery);
}
