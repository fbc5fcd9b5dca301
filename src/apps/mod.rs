//! Apps of third parties: their registration and review, what people allow them, OAuth 2.1.

mod authorize;
mod clients;
mod codes;
mod metadata;
mod mine;
mod tokens;

use utoipa_actix_web::service_config::ServiceConfig;

pub use clients::{DemoClient, demo_client, sweep_secrets};
pub use codes::sweep as sweep_codes;

/// The operations of this feature under `/v1`.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(mine::list_my_apps)
        .service(mine::remove_my_app)
        .service(clients::routes::create_oauth_client)
        .service(clients::routes::list_oauth_clients)
        .service(clients::routes::get_oauth_client)
        .service(clients::decisions::approve_oauth_client)
        .service(clients::decisions::suspend_oauth_client)
        .service(clients::secrets::rotate_client_secret);
}

/// The endpoints of OAuth, whose paths and forms are those of its specifications.
pub fn oauth_routes(config: &mut ServiceConfig) {
    config
        .service(authorize::routes::authorize)
        .service(authorize::routes::answer_authorization)
        .service(tokens::routes::create_token)
        .service(tokens::inspection::revoke_token)
        .service(tokens::inspection::introspect_token)
        .service(metadata::authorization_server);
}
