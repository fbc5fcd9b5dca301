//! Who of a unit still has to read what: for the secretary, by name, with private reminders.

pub mod routes;
mod store;

pub use store::sweep;
