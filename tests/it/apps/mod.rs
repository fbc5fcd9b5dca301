//! Apps of third parties: scopes, OAuth, what members see of it, and the attacks on it.

pub mod support;

mod scopes;
mod tokens;
