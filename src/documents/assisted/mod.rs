//! Documents read together: a helper records it for members without a device, a second officer confirms it.

mod decide;
mod record;
pub mod routes;
mod store;

pub use decide::ASSISTED_READING;
