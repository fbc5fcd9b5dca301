//! Appeals of members against a missing or a wrong point, answered by an officer with a reason.

mod answer;
mod file;
mod model;
pub mod routes;
mod store;
mod target;

pub use file::{NewAppeal, file};
pub use model::AppealKind;
