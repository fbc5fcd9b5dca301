//! GIFT, the text format of Moodle: `::title:: text {=right ~wrong}`.

mod blocks;
mod characters;
mod read;
mod write;

pub(super) use read::read;
pub(super) use write::write;
