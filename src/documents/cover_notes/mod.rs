//! What a unit says about a document to its own members: an earlier last day for reading, a cover note.

mod model;
pub mod routes;
mod store;
mod target;

pub use model::{UnitCoverNote, UnitCoverNotes};
pub use store::{NewCoverNote, carry_over, of_units, write};
