//! Long background work in portions: after each it rests as long as that took, so that requests do not wait behind all of it.

use std::time::{Duration, Instant};

/// The work itself must not take for ever: transactions are open and leases run out.
const MOST_REST: Duration = Duration::from_secs(2);

/// The pace of some work.
#[derive(Default)]
pub struct Pace {
    begun: Option<Instant>,
    rested: Duration,
}

impl Pace {
    /// Before each portion: rests, unless it is the first or there was rest enough.
    pub async fn next(&mut self) {
        if let Some(begun) = self.begun {
            let rest = begun.elapsed().min(MOST_REST.saturating_sub(self.rested));
            self.rested += rest;
            tokio::time::sleep(rest).await;
        }
        self.begun = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn it_rests_between_portions_and_not_for_ever() {
        let mut pace = Pace::default();
        let begun = Instant::now();
        pace.next().await;
        assert_eq!(pace.rested, Duration::ZERO, "before the first");
        tokio::time::sleep(Duration::from_millis(20)).await;
        pace.next().await;
        assert!(pace.rested >= Duration::from_millis(20) && begun.elapsed() >= Duration::from_millis(40));
        pace.rested = MOST_REST;
        tokio::time::sleep(Duration::from_millis(20)).await;
        pace.next().await;
        assert_eq!(pace.rested, MOST_REST);
    }
}
