//! Search: folded words in PostgreSQL's own full text, for what the reader may see.

mod find;
mod index;
mod snippet;
mod spelling;
mod words;

pub use find::{Filters, find};
pub use index::index;
pub use snippet::{Highlight, Snippet};
pub use spelling::respell;
pub use words::Search;
