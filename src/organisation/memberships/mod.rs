//! Memberships: the cells of a member over time.

pub mod routes;
mod store;

pub use store::{OnDay, begin, end, lock_member, on_day};
