//! Request budgets per minute, reported in `RateLimit` headers.

use std::net::{IpAddr, Ipv6Addr};
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
    /// An app, for each account for which it acts: it uses up nothing of the person's own.
    App(Uuid, Uuid),
    /// A session whose refresh token was shown.
    Session(Uuid),
    /// A device whose token was shown.
    Device(Uuid),
    Address(BudgetPurpose, IpAddr),
}

/// What an address asks for without a sign-in. Each has a budget of its own, so that none uses up another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BudgetPurpose {
    Anonymous,
    SignIn,
    Refresh,
    Activation,
    /// Whether the program is ready.
    Readiness,
    /// The documentation, whose pages are large.
    Documentation,
}

impl BudgetPurpose {
    /// The one that an operation of the document names.
    pub fn named(name: &str) -> Self {
        match name {
            "sign_in" => Self::SignIn,
            "refresh" => Self::Refresh,
            "activation" => Self::Activation,
            _ => Self::Anonymous,
        }
    }

    /// That of a path outside `/v1`; none where every call is answered.
    pub fn of_path(path: &str) -> Option<Self> {
        let documentation = ["/docs", "/openapi.json", "/problems", "/assets"];
        match path {
            "/healthz" => None,
            "/readyz" => Some(Self::Readiness),
            path if documentation.iter().any(|begin| path.starts_with(begin)) => Some(Self::Documentation),
            _ => Some(Self::Anonymous),
        }
    }

    /// Whether a token in the body may pay instead of the address.
    pub fn takes_tokens(self) -> bool {
        matches!(self, Self::SignIn | Self::Refresh)
    }
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

/// The budgets of accounts with their sessions and devices, and of addresses without a sign-in. Each instance counts its own.
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
        let (payer, limiter, quota) = match payer {
            Payer::Account(_) | Payer::App(..) | Payer::Session(_) | Payer::Device(_) => {
                (payer, &self.accounts, self.per_account)
            }
            Payer::Address(purpose, address) => {
                (Payer::Address(purpose, network(address)), &self.addresses, self.per_address)
            }
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

/// The address itself; for IPv6 the network of 64 bits, since one host owns all of it.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_one_budget_whichever_of_its_addresses_it_uses() {
        let limits = RateLimits::new(10, 3);
        let left: Vec<u32> = ["2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1", "::ffff:192.0.2.1", "192.0.2.1"]
            .map(|address| limits.take(Payer::Address(BudgetPurpose::Anonymous, address.parse().unwrap())).remaining)
            .into();
        assert_eq!(left, [2, 1, 2, 2, 1]);
    }

    #[test]
    fn no_purpose_uses_up_the_budget_of_another() {
        let (limits, address) = (RateLimits::new(10, 1), "192.0.2.1".parse().unwrap());
        for purpose in
            [BudgetPurpose::Anonymous, BudgetPurpose::SignIn, BudgetPurpose::Refresh, BudgetPurpose::Activation]
        {
            assert!(limits.take(Payer::Address(purpose, address)).retry_after.is_none());
            assert!(limits.take(Payer::Address(purpose, address)).retry_after.is_some());
        }
        assert!(limits.take(Payer::Session(Uuid::nil())).retry_after.is_none());
    }
}
