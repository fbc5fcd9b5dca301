//! All integration tests: they speak HTTP to the real program over the real PostgreSQL. Run them with `scripts/test`.

mod support;

mod architecture;
mod crash;
mod documents;
mod health;
mod hostile;
mod identity;
mod leaderboards;
mod officers_word;
mod organisation;
mod outbox;
mod permissions;
mod points;
mod schema;
