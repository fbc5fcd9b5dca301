//! Requests that leave the server: one guarded HTTP client for addresses that others name.
//!
//! Each address is judged after its name was resolved, and the connection goes to what was judged. Redirects are not followed, an
//! answer has 15 seconds, and its body is not read.

mod addresses;
pub mod backoff;
mod guard;
mod places;

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Client, Url};

use crate::kernel::security::tls;

use guard::GuardedResolver;

pub use guard::TargetFault;
pub use places::work_off;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a request may take with its answer.
const WHOLE: Duration = Duration::from_secs(15);
/// A connection is used again within so long: its address was judged when it was opened.
const IDLE: Duration = Duration::from_secs(10);

/// Why a request brought no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutwardError {
    #[error("the address must not be called")]
    Refused,
    #[error("the name has no address")]
    Unresolved,
    #[error("no connection came about")]
    Unreachable,
    #[error("no answer came in time")]
    TimedOut,
    #[error("the connection broke off")]
    Broken,
}

impl OutwardError {
    /// A stable name for logs that developers read.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Refused => "address_refused",
            Self::Unresolved => "name_unresolved",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Broken => "broken_off",
        }
    }

    /// A cause of our own lies below several of the libraries'.
    fn of(error: &reqwest::Error) -> Self {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(current) = cause {
            if let Some(own) = current.downcast_ref::<Self>() {
                return *own;
            }
            cause = current.source();
        }
        match (error.is_timeout(), error.is_connect()) {
            (true, _) => Self::TimedOut,
            (_, true) => Self::Unreachable,
            _ => Self::Broken,
        }
    }
}

/// The client. Cheap to share; one a process.
pub struct OutwardClient {
    client: Client,
    allows_loopback: bool,
}

impl OutwardClient {
    /// `allows_loopback` lets `localhost` and loopback addresses pass, over HTTP too: for a demo and for tests.
    ///
    /// # Errors
    /// When the certificates of the operating system cannot be used.
    pub fn new(allows_loopback: bool) -> Result<Self, String> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls::client_config().map_err(|e| e.to_string())?)
            .dns_resolver(GuardedResolver { allows_loopback })
            .redirect(Policy::none())
            .no_proxy()
            .http1_only()
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(1)
            .user_agent(concat!("sotay/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self { client: client.map_err(|e| e.to_string())?, allows_loopback })
    }

    /// Judges an address as far as it can be judged without looking up its name.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn judge(&self, address: &str) -> Result<Url, TargetFault> {
        guard::judge(address, self.allows_loopback)
    }

    /// Judges an address and, where its name can be looked up now, what the name stands for.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn judge_resolved(&self, address: &str) -> Result<Url, TargetFault> {
        let url = self.judge(address)?;
        let Some(host) = url.host_str() else { return Err(TargetFault::Unreadable) };
        match guard::resolve(host, self.allows_loopback).await {
            Err(OutwardError::Refused) => Err(TargetFault::Private),
            _ => Ok(url),
        }
    }

    /// Posts a body. Returns the status of the answer, whose body is left unread.
    ///
    /// # Errors
    /// When no answer came.
    pub async fn post(&self, address: &str, headers: HeaderMap, body: Vec<u8>) -> Result<u16, OutwardError> {
        let url = self.judge(address).map_err(|_| OutwardError::Refused)?;
        let answer = self.client.post(url).headers(headers).body(body).send().await;
        answer.map(|answer| answer.status().as_u16()).map_err(|error| OutwardError::of(&error))
    }
}
