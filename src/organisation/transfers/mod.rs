//! Transfers between cells: proposed by the old cell, accepted by the new one.
//!
//! Until then the member belongs to the old cell.

mod accept;
mod due;
pub mod routes;
mod store;
mod target;
