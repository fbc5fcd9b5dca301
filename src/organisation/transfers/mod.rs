//! Transfers between cells: proposed by the old cell, accepted by the new one; until then the member belongs to the old.

mod accept;
mod due;
pub mod routes;
mod store;
mod target;
