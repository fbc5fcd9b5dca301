//! The tree of units; parent links are effective-dated.

pub mod routes;
mod store;

pub use store::{NewUnit, Unit, create, get, is_cell, is_top, lock, name, path, require_cell};
