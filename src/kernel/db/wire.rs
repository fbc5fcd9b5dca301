//! A connection's wire: whether a statement is under way on it, and how to end it whatever it does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use diesel::connection::{Instrumentation, InstrumentationEvent};
use diesel_async::AsyncConnection;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio_postgres::{CancelToken, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::Conn;

/// How long the server is given to take in that a statement is cancelled.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(5);

/// Kept by its connection, which tells it of each statement's beginning and end.
#[derive(Clone)]
pub(super) struct Wire(Arc<Inner>);

struct Inner {
    /// Statements that have begun and not ended. A request that is dropped leaves its statement here.
    under_way: AtomicUsize,
    /// The task that moves bytes between client and server.
    driver: AbortHandle,
    cancel: CancelToken,
    /// None on this host.
    tls: Option<MakeRustlsConnect>,
}

impl Wire {
    pub(super) fn new(driver: AbortHandle, cancel: CancelToken, tls: Option<MakeRustlsConnect>) -> Self {
        Self(Arc::new(Inner { under_way: AtomicUsize::new(0), driver, cancel, tls }))
    }

    /// The wire of a connection that the pool made.
    pub(super) fn of(conn: &mut Conn) -> Option<Self> {
        conn.instrumentation().downcast_ref::<Self>().cloned()
    }

    /// Whether a statement is under way, or the connection was cut.
    pub(super) fn is_unusable(&self) -> bool {
        self.0.under_way.load(Ordering::Relaxed) > 0 || self.0.driver.is_finished()
    }

    /// Ends the connection at once: a task that waits for it is told that it is closed, and the server stops what it does for it.
    pub(super) fn cut(&self) {
        self.0.driver.abort();
        // Without a runtime the program is ending, and the server learns of it by itself.
        let Ok(runtime) = Handle::try_current() else { return };
        let inner = self.0.clone();
        // PostgreSQL notices that a client is gone only when it writes to it, so a long statement is cancelled.
        runtime.spawn(async move {
            let cancelled = tokio::time::timeout(CANCEL_TIMEOUT, inner.cancel()).await;
            if !matches!(cancelled, Ok(Ok(()))) {
                tracing::warn!("a statement could not be cancelled; statement_timeout ends it");
            }
        });
    }
}

impl Inner {
    async fn cancel(&self) -> Result<(), tokio_postgres::Error> {
        match &self.tls {
            Some(tls) => self.cancel.cancel_query(tls.clone()).await,
            None => self.cancel.cancel_query(NoTls).await,
        }
    }
}

impl Instrumentation for Wire {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartQuery { .. } => self.0.under_way.fetch_add(1, Ordering::Relaxed),
            InstrumentationEvent::FinishQuery { .. } => self.0.under_way.fetch_sub(1, Ordering::Relaxed),
            _ => return,
        };
    }
}
