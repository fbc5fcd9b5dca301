//! Members: admission, profile, personal numbers under seal, the handles people sign in with.

mod changes;
pub mod departure;
mod entry;
pub mod handles;
mod list;
mod own_record;
mod profile;
pub mod routes;
mod store;

pub use changes::lock_numbers;
pub use own_record::require_other;
pub use profile::{mask, record_view};
pub use store::{NewMember, Origin, admit, handles as handle_digests, seal};
