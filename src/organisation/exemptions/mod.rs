//! Exemptions: stretches of time in which a member leaves every denominator.

pub mod routes;
mod store;
mod target;
