//! Attempts: drawn by the server, answered in any order, graded as a whole with their points.

pub mod answers;
pub mod due;
pub mod frozen;
pub mod grading;
pub mod model;
pub mod output;
mod rehearsal;
pub mod routes;
pub mod start;
pub mod store;
pub mod subject;
mod target;

pub use answers::AnswerSaver;
pub use due::grade_some as grade_due;
pub use rehearsal::take;
