//! Quizzes as officers make them: drafts, publication, what members see on offer.

pub mod extensions;
pub mod model;
pub mod output;
pub mod pool;
pub mod routes;
pub mod store;
mod target;

pub use target::{OnQuiz, VisibleQuiz};
