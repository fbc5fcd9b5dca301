//! Bookmarks and private notes of a member, the same on all their phones.

pub mod routes;
mod store;

pub use store::touch;
