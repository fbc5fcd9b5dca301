//! Corrections by hand: proposed with reason and evidence, approved by a second officer, written as entries of their own.

mod approve;
mod decide;
mod ledger;
mod model;
mod propose;
pub mod routes;
pub mod store;
mod target;

pub use decide::{ADJUSTMENT, await_second};
pub use model::Change;
pub use propose::{NewAdjustment, propose};
