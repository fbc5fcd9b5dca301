//! Manual corrections: proposed with evidence, approved by a second officer, kept as own entries.

mod approve;
mod decide;
mod ledger;
mod model;
mod propose;
pub mod routes;
pub mod store;
mod target;

pub use decide::{ADJUSTMENT, await_second};
pub use model::PointChange;
pub use propose::{NewAdjustment, propose};
