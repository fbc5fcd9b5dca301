//! Results of quizzes: figures of units, members one by one, questions for their makers.

mod analysis;
mod export;
pub mod reminders;
pub mod routes;
mod store;
pub mod topics;
