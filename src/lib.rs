//! sotay: the backend of the electronic Party-member handbook. `ARCHITECTURE.md` is the map.

pub mod app;
pub mod apps;
pub mod audit_trail;
pub mod cases;
pub mod cli;
pub mod deliveries;
pub mod demo;
pub mod docs;
pub mod documents;
pub mod identity;
pub mod jobs;
pub mod kernel;
pub mod leaderboards;
pub mod notifications;
pub mod organisation;
pub mod points;
pub mod quizzes;
pub mod sync;
pub mod webhooks;
