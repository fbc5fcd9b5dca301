//! Question banks of units: their questions, imports and exports.

mod file;
mod import;
pub mod import_routes;
mod review;
pub mod revise;
pub mod routes;
pub mod store;
mod target;

pub use file::answer;
pub use import::stock;
pub use review::QUESTION_REVIEW;
pub use store::{NewBank, create};
