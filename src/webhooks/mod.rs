//! Webhooks: events of units sent to other systems, signed by the Standard Webhooks specification.

mod deliveries;
mod endpoints;
mod event_types;
mod fan_out;
mod feed;
mod sending;
mod targets;

use utoipa_actix_web::service_config::ServiceConfig;

pub use event_types::documented;
pub use fan_out::{TOPICS, consume, sweep};
pub use sending::deliver_due;

/// The operations of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(endpoints::routes::create_webhook_endpoint)
        .service(endpoints::routes::list_webhook_endpoints)
        .service(endpoints::routes::get_webhook_endpoint)
        .service(endpoints::routes::update_webhook_endpoint)
        .service(endpoints::routes::delete_webhook_endpoint)
        .service(endpoints::secrets::rotate_webhook_secret)
        .service(deliveries::routes::test_webhook_endpoint)
        .service(deliveries::routes::list_webhook_deliveries)
        .service(deliveries::routes::replay_webhook_delivery)
        .service(deliveries::routes::replay_webhook_events)
        .service(feed::list_events);
}
