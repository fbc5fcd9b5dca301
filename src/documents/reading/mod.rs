//! Reading measured by the server, and confirming what must be read.

mod by_answers;
pub mod routes;
mod sessions;
mod store;

pub use by_answers::complete_by_answers;
pub use sessions::{READ, require_in_force, sweep};
