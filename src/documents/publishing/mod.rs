//! What officers do with documents: write, change, publish, recall.

mod repeated;
pub mod routes;
mod store;

pub use repeated::SameDocument;
pub use store::{NewDocument, draft, publish};
