//! Units, members, memberships, transfers, roles, imports. What other features may call.

pub mod members;
pub mod roster;
mod targets;
pub mod units;

use utoipa_actix_web::service_config::ServiceConfig;

pub use targets::{OnMember, OnUnit, cell_of};

/// The operations of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(units::routes::list_units)
        .service(units::routes::create_unit)
        .service(units::routes::get_unit);
}
