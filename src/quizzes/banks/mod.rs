//! Question banks of units: their questions, imports and exports.

mod file;
mod import;
pub mod import_routes;
pub mod routes;
pub mod store;
mod target;

pub use file::answer;
pub use import::stock;
pub use store::{NewBank, create};
