//! What members find in the library: the list, a search, one document.

pub mod routes;
mod store;

pub use store::{Detail, LibraryLoader, ReachedOffer, detail};
