//! Relations of documents: one replaces, amends, repeals or guides another.

pub mod routes;
mod store;

pub use store::{Related, of_document, settle};
