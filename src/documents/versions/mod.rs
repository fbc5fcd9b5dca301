//! Versions of a document: what was corrected, and the one that waits for its publication.

pub mod routes;
mod store;
mod tell;

pub use store::{NewVersion, StoredVersion, open, wait_for, waiting, write_out};
pub use tell::{announce, consume};
