//! Deliveries: each event for each endpoint, tried until it arrives, with a log and replays.

pub mod routes;
pub mod schedule;
pub mod store;
