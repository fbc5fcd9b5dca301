//! Types of the library and its pure rules: no clock, no database.

mod kinds;
mod media;
mod secrecy;
mod symbol;
mod text;
mod timing;

pub use kinds::DocumentKind;
pub use media::{Media, Sniffer};
pub use secrecy::{MarkingPlace, carries_secret_marking, name_carries_secret_marking};
pub use symbol::{Symbol, issuer_key, parse_symbol};
pub use text::{topic_keys, words};
pub use timing::{ReadingSpeed, credit, required_seconds};
