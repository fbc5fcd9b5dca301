//! Members: admission, profile, personal numbers under seal, the handles people sign in with.

pub mod handles;
mod store;

pub use store::{NewMember, Origin, admit};
