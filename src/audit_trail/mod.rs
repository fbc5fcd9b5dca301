//! Reading the audit log: members about their own record, inspectors about a unit.

mod routes;
mod store;

use utoipa_actix_web::service_config::ServiceConfig;

/// The operations of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config.service(routes::list_my_access_log).service(routes::list_audit_events);
}
