//! Merging, splitting and moving units on a given day.
//!
//! Nothing is edited: links, memberships and roles end on the day and others begin, so that every
//! month before it reads as it was.

mod apply;
mod due;
mod effect;
mod model;
mod plan;
mod register;
pub mod routes;
mod store;
mod target;
mod tree;

pub use due::apply_due;
