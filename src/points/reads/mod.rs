//! Reads of points over HTTP: a member's month, entries and trends, the rules, the month's offer.

pub mod catalogue;
pub mod entries;
pub mod mine;
pub mod month;
pub mod outlook;
pub mod trends;
