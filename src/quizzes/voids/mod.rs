//! Wrong keys repaired: two officers void a question of a published quiz, and it is right for all who were asked it.

mod decide;
mod regrade;
pub mod routes;
pub mod store;

pub use decide::QUESTION_VOID;
pub use regrade::regrade_some;
