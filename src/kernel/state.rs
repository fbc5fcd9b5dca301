//! Shared state of all requests: configuration, pool, clock, keys, limits, the document's rules.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use object_store::ObjectStore;
use uuid::Uuid;

use super::batching::cache_invalidation::ChangeLog;
use super::clock::Clock;
use super::config::Config;
use super::db::Db;
use super::http::rate_limit::RateLimits;
use super::http::turns::Turns;
use super::openapi::operations::Operations;
use super::redis::Redis;
use super::security::app_reads::AppReads;
use super::security::auth::{Authenticator, Keys};
use super::security::crypto::Crypto;

/// An account that anyone may sign in as.
pub struct DemoLogin {
    pub role: &'static str,
    pub login: String,
    pub password: &'static str,
}

/// Shared by all workers; one per process.
pub struct State {
    /// Identifies this process, in leases.
    pub instance: Uuid,
    pub config: Config,
    /// Connections of requests.
    pub db: Db,
    /// Connections of jobs and commands.
    pub work: Db,
    /// Boards of large units; PostgreSQL answers without it.
    pub redis: Option<Redis>,
    /// Invalidates the caches of this process.
    pub changes: ChangeLog,
    pub clock: Clock,
    pub crypto: Crypto,
    pub keys: Keys,
    pub authenticator: Box<dyn Authenticator + Send + Sync>,
    pub limits: RateLimits,
    /// Which readings of apps the access logs of this day hold already.
    pub app_reads: AppReads,
    pub operations: Arc<Operations>,
    /// Files of documents.
    pub files: Arc<dyn ObjectStore>,
    /// Limits how many passwords are hashed at a time.
    pub password_slots: tokio::sync::Semaphore,
    /// Limits how many files are held in memory at a time.
    pub upload_places: Arc<tokio::sync::Semaphore>,
    /// Uploads in progress, one an account.
    pub uploads: Arc<Turns>,
    /// Bodies of accounts that come in slowly.
    pub slow_bodies: Arc<Turns>,
    /// Where uploads wait until they are whole.
    pub spool: PathBuf,
    /// The accounts of the demo, which its console offers; empty otherwise.
    pub demo_logins: OnceLock<Vec<DemoLogin>>,
    /// Begins links in answers; no slash at the end.
    pub public_url: String,
}
