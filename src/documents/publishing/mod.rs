//! What officers do with documents: write, change, publish, recall.

pub mod routes;
mod store;

pub use store::{NewDocument, draft, publish};
