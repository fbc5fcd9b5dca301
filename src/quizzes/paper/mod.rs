//! Quizzes on paper for members without a device: sheets to print, answers entered by one officer and confirmed by another.

mod decide;
mod model;
pub mod print;
pub mod routes;
mod store;
mod target;

pub use decide::PAPER_ANSWERS;
