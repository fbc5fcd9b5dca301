//! Accounts, sign-in, device sessions, tokens and keys.
//!
//! The public functions are those that other features and `app` may call.

mod accounts;
mod activation;
mod administrators;
mod authentication;
mod demo_sessions;
mod keys;
mod me;
mod passwords;
mod session_routes;
mod sessions;
mod sign_in;
mod slip_release;
mod slip_routes;
mod slips;
mod throttle;
mod tokens;

use utoipa_actix_web::service_config::ServiceConfig;

pub use administrators::create_administrator;
pub use authentication::Authentication;
pub use demo_sessions::open_demo_sessions;
pub use keys::{jwks, refresh_keys};
pub use me::Mirror;
pub use passwords::{hash as hash_password, store as store_password};
pub use sessions::{sweep as sweep_sessions, sweep_devices};
pub use slip_release::{ROLE_HOLDER_SLIP, ask as ask_slip, read_code as read_slip_code};
pub use slips::sweep as sweep_slips;
pub use throttle::sweep as sweep_failures;

/// The operations of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(session_routes::create_session)
        .service(session_routes::refresh_session)
        .service(session_routes::delete_current_session)
        .service(activation::activate)
        .service(slip_routes::create_activation_slip)
        .service(slip_routes::read_slip_code)
        .service(accounts::suspend_account)
        .service(accounts::reinstate_account)
        .service(me::get_me)
        .service(me::update_me)
        .service(me::change_password)
        .service(session_routes::list_my_sessions)
        .service(session_routes::delete_my_other_sessions)
        .service(session_routes::delete_my_session);
}
