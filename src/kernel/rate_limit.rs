//! Budgets of requests a minute, told in `RateLimit` headers.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use uuid::Uuid;

/// Whose budget a request is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Payer {
    Account(Uuid),
    Address(IpAddr),
}

/// What is left of a budget after a request.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    pub quota: u32,
    pub remaining: u32,
    /// Seconds until the next request fits, when none is left.
    pub retry_after: Option<u64>,
}

type Limiter = RateLimiter<Payer, DashMapStateStore<Payer>, DefaultClock, StateInformationMiddleware>;

/// The two budgets: of accounts, and of addresses without a sign-in. Each instance counts its own.
pub struct RateLimits {
    accounts: Limiter,
    addresses: Limiter,
    per_account: u32,
    per_address: u32,
}

impl RateLimits {
    pub fn new(per_account: u32, per_address: u32) -> Self {
        let limiter = |quota: u32| {
            let quota = NonZeroU32::new(quota).unwrap_or(NonZeroU32::MIN);
            RateLimiter::dashmap(Quota::per_minute(quota)).with_middleware::<StateInformationMiddleware>()
        };
        Self { accounts: limiter(per_account), addresses: limiter(per_address), per_account, per_address }
    }

    /// Takes one request from the payer's budget.
    pub fn take(&self, payer: Payer) -> Budget {
        let (limiter, quota) = match payer {
            Payer::Account(_) => (&self.accounts, self.per_account),
            Payer::Address(_) => (&self.addresses, self.per_address),
        };
        match limiter.check_key(&payer) {
            Ok(snapshot) => Budget { quota, remaining: snapshot.remaining_burst_capacity(), retry_after: None },
            Err(refusal) => {
                let wait = refusal.wait_time_from(DefaultClock::default().now());
                Budget { quota, remaining: 0, retry_after: Some(wait.as_secs() + 1) }
            }
        }
    }

    /// Forgets payers whose budget is full again, so that memory stays bounded.
    pub fn forget_idle(&self) {
        self.accounts.retain_recent();
        self.addresses.retain_recent();
    }
}

/// How often idle payers are forgotten.
pub const SWEEP: Duration = Duration::from_secs(60);
