//! Tokens and callers, permissions, the audit log, cryptography.

pub mod access;
pub mod app_reads;
pub mod audit;
pub mod auth;
pub mod crypto;
pub mod scopes;
pub mod tls;
