//! The tree of units; parent links are effective-dated.

pub mod routes;
mod store;

pub use store::{NewUnit, create, name, path};
