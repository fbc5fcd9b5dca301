//! Attestations: who attended, contributed or was helped, recorded by one officer.
//! Points are awarded when a second officer confirms.

mod confirm;
mod decide;
pub mod mine;
mod model;
mod record;
pub mod routes;
mod store;
mod target;

pub use decide::ATTESTATION;
pub use model::AttestationKind;
pub use record::{NewAttestation, record};
