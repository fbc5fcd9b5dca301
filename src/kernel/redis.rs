//! Redis as an optional cache: a fault costs freshness, never a request.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisResult};
use secrecy::{ExposeSecret, SecretString};

/// How long one answer may take; after that the database is asked instead.
const DB_TIMEOUT: Duration = Duration::from_millis(500);
/// How long Redis is not used after a fault, so that it does not slow every request, seconds.
const REST_SECONDS: i64 = 3;

/// The connection, made when it is first needed and again after a fault.
pub struct Redis {
    manager: ConnectionManager,
    rests_until: AtomicI64,
}

impl Redis {
    /// Checks the address; connects only when a connection is first needed.
    ///
    /// # Errors
    /// When the address cannot be read.
    pub fn new(url: &SecretString) -> Result<Self, String> {
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(DB_TIMEOUT))
            .set_connection_timeout(Some(DB_TIMEOUT))
            .set_number_of_retries(1);
        // The fault may repeat the address, and with it the password.
        let unreadable = |_| "the address of Redis cannot be read".to_owned();
        let client = Client::open(url.expose_secret()).map_err(unreadable)?;
        let manager = client.get_connection_manager_lazy(config).map_err(unreadable)?;
        Ok(Self { manager, rests_until: AtomicI64::new(0) })
    }

    /// Tries once even while Redis rests, to clean up after a fault. Best effort: errors are logged, not returned.
    pub async fn try_anyway<T>(&self, work: impl AsyncFnOnce(ConnectionManager) -> RedisResult<T>) {
        if let Err(error) = work(self.manager.clone()).await {
            tracing::debug!(kind = ?error.kind(), "Redis is still away");
        }
    }

    /// Asks Redis; none while it is away or rests after a fault.
    pub async fn ask<T>(
        &self,
        now: DateTime<Utc>,
        work: impl AsyncFnOnce(ConnectionManager) -> RedisResult<T>,
    ) -> Option<T> {
        if now.timestamp() < self.rests_until.load(Ordering::Relaxed) {
            return None;
        }
        match work(self.manager.clone()).await {
            Ok(answer) => Some(answer),
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), "Redis is away; the database answers");
                self.rests_until.store(now.timestamp() + REST_SECONDS, Ordering::Relaxed);
                None
            }
        }
    }
}
