//! Clients: apps that an officer of a unit registered and an administrator reviews.

pub mod decisions;
mod demo;
pub mod model;
pub mod routes;
pub mod secrets;
pub mod store;
mod target;

pub use demo::{DemoClient, demo_client};
pub use secrets::sweep as sweep_secrets;
