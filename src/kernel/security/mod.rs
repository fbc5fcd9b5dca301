//! Tokens and callers, permissions, the audit log, cryptography.

pub mod access;
pub mod audit;
pub mod auth;
pub mod crypto;
pub mod tls;
