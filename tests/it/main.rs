//! All integration tests: they speak HTTP to the real program over the real PostgreSQL. Run them with `scripts/test`.

mod support;

mod architecture;
mod crash;
mod health;
mod hostile;
mod permissions;
mod points;
mod schema;
