//! What members find in the library: the list, a search, one document.

mod list;
pub mod routes;
mod store;

pub(crate) use list::library_columns;
pub use list::{LibraryItem, LibraryLoader, LibraryRow};
pub use store::{Detail, ReachedOffer, detail};
