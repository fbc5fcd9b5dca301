//! Memberships: which cell a member belonged to, when.

pub mod routes;
mod store;

pub use store::{OnDay, begin, end, lock_member, on_day};
