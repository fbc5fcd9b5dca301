//! Web Push (RFC 8030, 8291, 8292): a phone is told that there is something new, and nothing else.

pub mod encryption;
pub mod keys;
pub mod preferences;
mod queue;
mod sending;
pub mod subscriptions;
mod timing;

pub use queue::request;
pub use sending::send_due;
