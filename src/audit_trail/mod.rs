//! The audit log as people read it: one's own record, and a unit's for inspectors.

mod routes;
mod store;

use utoipa_actix_web::service_config::ServiceConfig;

/// The operations of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config.service(routes::list_my_access_log).service(routes::list_audit_events);
}
