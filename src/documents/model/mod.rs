//! Types of the library and its pure rules: no clock, no database.

mod kinds;
mod media;
mod symbol;
mod text;
mod timing;

pub use kinds::DocumentKind;
pub use media::{Media, Sniffer};
pub use symbol::{Symbol, parse_symbol};
pub use text::{carries_secret_marking, searchable, words};
pub use timing::{ReadingSpeed, credit, required_seconds};
