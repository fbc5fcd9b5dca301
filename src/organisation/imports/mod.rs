//! Imports of rosters: what the sheet says against what the register holds, then all of it or nothing.

pub mod routes;
