//! Who opened, read and confirmed a document: by unit for secretaries, by name for those who answer for it.

pub mod routes;
mod store;
