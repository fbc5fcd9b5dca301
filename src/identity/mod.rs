//! Accounts, sign-in, device sessions, tokens and keys. What other features and `app` may call.

mod administrators;
mod authentication;
mod keys;
mod passwords;

use utoipa_actix_web::service_config::ServiceConfig;

pub use administrators::create_administrator;
pub use authentication::Authentication;
pub use keys::{jwks, refresh_keys};
pub use passwords::{hash as hash_password, store as store_password};

/// The operations of this feature.
pub fn routes(_config: &mut ServiceConfig) {}
