//! Files of documents: taken in and given out as streams.

mod content;
mod range;
pub mod routes;
mod store;

pub use content::{StoredFile, keep};
pub use store::{FileOut, attach, of_document};
