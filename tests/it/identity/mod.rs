//! Identity: sign-in, sessions, slips, the signed-in person.

mod guessing;
mod logins;
mod me;
mod refresh;
mod secrets;
mod sessions;
mod slips;
pub mod support;
mod suspension;
