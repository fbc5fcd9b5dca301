//! Endpoints: where events go, and the secrets that sign them.

pub mod routes;
pub mod secrets;
pub mod store;
