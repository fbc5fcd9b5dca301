//! Question banks, quizzes, attempts and their results.

pub mod formats;
