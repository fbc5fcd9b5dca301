//! sotay: the backend of the electronic Party-member handbook. `ARCHITECTURE.md` is the map.

pub mod app;
pub mod cli;
pub mod demo;
pub mod documents;
pub mod identity;
pub mod jobs;
pub mod kernel;
pub mod leaderboards;
pub mod organisation;
pub mod points;
