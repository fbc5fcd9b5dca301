//! Accounts, sign-in, device sessions, tokens and keys.
//!
//! The public functions are those that other features and `app` may call.

mod accounts;
mod administrators;
mod authentication;
mod keys;
mod me;
mod passwords;
mod sessions;
mod slips;
mod throttle;

use utoipa_actix_web::service_config::ServiceConfig;

pub use administrators::create_administrator;
pub use authentication::Authentication;
pub use keys::{jwks, refresh_keys};
pub use me::{Me, Mirror};
pub use passwords::{hash as hash_password, store as store_password};
pub use sessions::app_sessions;
pub use sessions::demo::open_demo_sessions;
pub use sessions::device_sessions::sweep as sweep_sessions;
pub use sessions::device_sessions::{Because, report_reuse};
pub use sessions::known_devices::sweep as sweep_devices;
pub use sessions::sign_in::{ProvenLogin, SignInAttempt, prove};
pub use sessions::tokens::{app_refresh_token, parse_app_refresh_token};
pub use slips::release::{ROLE_HOLDER_SLIP, ask as ask_slip, read_code as read_slip_code};
pub use slips::store::sweep as sweep_slips;
pub use throttle::sweep as sweep_failures;

/// The operations of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(sessions::routes::create_session)
        .service(sessions::routes::refresh_session)
        .service(sessions::routes::delete_current_session)
        .service(slips::activation::activate)
        .service(slips::routes::create_activation_slip)
        .service(slips::routes::read_slip_code)
        .service(accounts::suspend_account)
        .service(accounts::reinstate_account)
        .service(me::get_me)
        .service(me::update_me)
        .service(me::change_password)
        .service(sessions::routes::list_my_sessions)
        .service(sessions::routes::delete_my_other_sessions)
        .service(sessions::routes::delete_my_session);
}
