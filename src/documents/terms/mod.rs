//! Terms of a committee, within which the numbers of its documents run.

pub mod routes;
mod store;
