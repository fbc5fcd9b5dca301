//! All integration tests: they speak HTTP to the real program over the real PostgreSQL. Run them with `scripts/test`.

mod support;

mod architecture;
mod audit_trail;
mod cases;
mod closings;
mod codes;
mod crash;
mod deadlines;
mod decisions;
mod demo;
mod documents;
mod health;
mod hostile;
mod identity;
mod leaderboards;
mod officers_word;
mod organisation;
mod outages;
mod outbox;
mod outlook;
mod parameters;
mod peers;
mod permissions;
mod points;
mod projection;
mod remembered;
mod reminders;
mod rulebook;
mod schema;
mod sweeping;
mod together;
mod trends;
mod verify;
mod who_counts;
mod wire;
