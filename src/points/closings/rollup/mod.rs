//! The closings below a committee or a province: how many cells are closed, their counts, all their reports in one file.

pub mod bundle;
pub mod routes;
mod store;
