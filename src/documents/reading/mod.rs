//! Reading measured by the server, and confirming what must be read.

pub mod routes;
mod sessions;
mod store;

pub use sessions::{READ, sweep};
