//! Comprehension questions of documents: passing them completes the reading.

pub mod model;
pub mod routes;
mod start;
mod store;
