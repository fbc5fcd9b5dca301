//! The tree of units; parent links are effective-dated.

pub mod routes;
mod store;

pub use store::{NewUnit, Unit, create, get, is_cell, lock, path, require_cell};
