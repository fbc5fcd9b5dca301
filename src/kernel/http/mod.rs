//! HTTP below the operations: connections, the pace of bodies, content codings, uploads on disk.

pub mod body;
pub mod connections;
pub mod encoding;
pub mod spool;
pub mod turns;
