//! Contests: rounds that are quizzes, boards by score and time, results frozen and signed.

mod board;
mod freeze;
mod model;
mod report;
pub mod routes;
pub mod scores;
mod store;
mod target;
mod verify;

pub use freeze::freeze_due;
pub use store::{NewContest, create};
pub use verify::{is_contest_report, verify_report};

pub use board::get_contest_leaderboard;
pub use report::export_contest_report;
