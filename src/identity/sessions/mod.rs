//! Device sessions: sign-in, refresh, the list of devices, and their tokens.

pub mod demo;
pub mod device_sessions;
pub mod routes;
pub mod sign_in;
pub mod tokens;
