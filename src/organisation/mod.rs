//! Units, members, memberships, transfers, roles, imports.
//!
//! The public functions are those that other features may call.

pub mod decisions;
pub mod exemptions;
pub mod grants;
pub mod imports;
pub mod lookups;
pub mod members;
pub mod memberships;
pub mod reorganisations;
pub mod roster;
mod targets;
pub mod transfers;
pub mod units;

use utoipa_actix_web::service_config::ServiceConfig;

pub use targets::{OnMember, OnUnit, OnUnitOfQuery, cell_of, last_cell_of};

/// The operations of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(units::routes::list_units)
        .service(units::routes::create_unit)
        .service(units::routes::get_unit)
        .service(members::routes::list_members)
        .service(members::routes::admit_member)
        .service(members::routes::get_member)
        .service(members::routes::update_member)
        .service(members::departure::record_departure)
        .service(memberships::routes::list_memberships)
        .service(exemptions::routes::create_exemption)
        .service(exemptions::routes::list_exemptions)
        .service(exemptions::routes::end_exemption)
        .service(decisions::routes::list_decisions)
        .service(decisions::routes::confirm_decisions)
        .service(decisions::routes::get_decision)
        .service(decisions::routes::confirm_decision)
        .service(decisions::routes::refuse_decision)
        .service(decisions::routes::withdraw_decision)
        .service(grants::routes::create_grant)
        .service(grants::routes::list_grants)
        .service(grants::routes::revoke_grant)
        .service(transfers::routes::propose_transfer)
        .service(transfers::routes::accept_transfer)
        .service(transfers::routes::decline_transfer)
        .service(transfers::routes::withdraw_transfer)
        .service(transfers::routes::list_transfers)
        .service(imports::routes::import_roster)
        .service(reorganisations::routes::preview_reorganisation)
        .service(reorganisations::routes::create_reorganisation)
        .service(reorganisations::routes::get_reorganisation)
        .service(reorganisations::routes::cancel_reorganisation)
        .service(reorganisations::routes::list_reorganisations);
}
