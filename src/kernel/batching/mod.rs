//! Batching: requests that arrive together share statements; caches and their invalidation.

pub mod cache_invalidation;
pub mod change_poller;
pub mod command;
pub mod loader;
pub mod queue;
