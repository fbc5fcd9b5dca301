//! Activation slips: issued or released by officers, redeemed by members.

pub mod activation;
pub mod release;
pub mod routes;
pub mod store;
