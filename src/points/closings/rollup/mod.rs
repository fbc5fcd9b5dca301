//! Closings below a committee or province: closed cells, their counts, all reports in one file.

pub mod bundle;
pub mod routes;
mod store;
