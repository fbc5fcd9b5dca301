//! Rules as data: which hold in a unit on a day, who narrowed them, how officers change them.

mod change;
mod check;
mod in_force;
mod narrow;
mod publication;
pub mod routes;
mod store;
mod target;

pub use change::RuleTier;
pub use in_force::rules_for;
pub use narrow::{Limit, narrowed};
pub use store::{LimitRow, limits, limits_within};
