//! The tree of units; parent links are effective-dated.

pub mod routes;
mod store;

pub use store::{
    NewUnit, OrgUnit, create, first_day, get, hold, is_cell, is_top, keep, last_path, lock, lock_tree, name, parent,
    path, require_cell, stands,
};
