//! Files of documents: taken in and given out as streams, stored once, read for their text.

mod backend;
mod content;
mod contents;
mod range;
mod reader;
pub mod routes;
mod store;

pub use backend::open;
pub use content::{StoredFile, keep, store_away};
pub use reader::{read_next, sweep};
pub use store::{FileOut, attach, of_document};
