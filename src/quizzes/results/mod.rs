//! Results of quizzes: by unit for officers, by member for those who may list members, by question for its makers.

mod analysis;
mod export;
pub mod routes;
mod store;
