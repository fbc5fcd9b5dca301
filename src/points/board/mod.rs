//! The threshold board of a unit: rows of members, the summary, the roll-up by child unit, files.

mod export;
pub mod routes;
mod standings;
mod summary;
mod withheld;

pub use export::{in_vietnamese, in_words};
pub use routes::BoardMember;
pub use standings::{BoardCounts, BoardStanding, BoardView, STANDINGS, STANDINGS_OF_CELLS, page};
pub use summary::{Summary, statuses};
