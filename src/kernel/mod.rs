//! What every feature stands on; knows no feature itself.

pub mod access;
pub mod audit;
pub mod auth;
pub mod call;
pub mod clock;
pub mod config;
pub mod context;
pub mod crypto;
pub mod db;
pub mod health;
pub mod idempotency;
pub mod ids;
pub mod lease;
pub mod openapi;
pub mod operations;
pub mod outbox;
pub mod page;
pub mod private_postgres;
pub mod problem;
pub mod problem_pages;
pub mod rate_limit;
pub mod redis;
pub mod reply;
pub mod schema;
pub mod sheet;
pub mod state;
