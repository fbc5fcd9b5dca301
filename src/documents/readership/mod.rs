//! Who opened, read and confirmed a document: counts by unit, and names for the owning unit.

mod board;
pub mod board_routes;
pub mod routes;
mod store;
