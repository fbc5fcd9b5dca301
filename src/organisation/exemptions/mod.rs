//! Exemptions: periods in which a member leaves every denominator.

mod decide;
pub mod routes;
mod store;
mod target;

pub use decide::{EXEMPTION, EXEMPTION_END, Proposer, propose};
pub use store::Exemption;
