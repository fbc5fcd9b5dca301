//! Members: admission, profile, personal numbers under seal, the handles people sign in with.

mod changes;
mod entry;
pub mod handles;
mod list;
mod profile;
pub mod routes;
mod store;
mod superiors;

pub use changes::lock_numbers;
pub use profile::record_view;
pub use store::{NewMember, Origin, admit, handles as handle_digests, seal};
