//! Who opened, read and confirmed a document: counts by unit, and names for the owning unit.

pub mod routes;
mod store;
