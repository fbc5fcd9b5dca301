//! Apps of third parties: scopes, OAuth, what members see of it, and the attacks on it.

pub mod support;

mod attacks;
mod figures;
mod oauth;
mod scopes;
mod tokens;

pub mod flow;
