//! All integration tests: they speak HTTP to the real program over the real PostgreSQL. Run them with `scripts/test`.

mod support;

mod health;
mod identity;
