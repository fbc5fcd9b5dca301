//! Device sessions: sign-in, refresh, the list of devices, apps, and their tokens.

pub mod app_sessions;
pub mod demo;
pub mod device_sessions;
pub mod known_devices;
pub mod routes;
pub mod sign_in;
pub mod tokens;
