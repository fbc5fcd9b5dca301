//! HTTP below the operations: connections, the pace of bodies, content codings, uploads on disk.

pub mod body;
pub mod connections;
pub mod context;
pub mod encoding;
pub mod health;
pub mod idempotency;
pub mod page;
pub mod problem;
pub mod problem_pages;
pub mod rate_limit;
pub mod reply;
pub mod spool;
pub mod turns;
