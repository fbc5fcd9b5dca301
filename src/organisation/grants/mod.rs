//! Grants: roles on units for a term, who may hand them out, and their history.

mod nearest;
pub mod routes;
mod rule;
mod store;
mod target;

pub use nearest::tell_nearest;
pub use rule::may_grant;
pub use store::{end_on_unit, open_secretary};
