//! Grants: roles on units for a term, who may give them, and their history.

mod give;
mod nearest;
pub mod routes;
mod rule;
mod store;
mod superiors;
mod target;

pub use give::{ROLE_GRANT, propose_role, roles_waiting};
pub use nearest::{holders, nearest, tell_nearest};
pub use rule::may_grant;
pub use store::{NewGrant, end_on_unit, open_secretary, principal};
pub use superiors::{Rank, require_rank, revoke_all};
