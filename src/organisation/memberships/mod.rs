//! Memberships: which cell a member belonged to, when.

pub mod routes;
mod store;

pub use store::{OnDay, end, begin, lock_member, on_day};
