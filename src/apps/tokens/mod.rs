//! The token endpoint and what tokens are asked about: authentication of clients, grants, revocation, introspection.

pub mod client_auth;
mod grants;
pub mod inspection;
pub mod routes;
