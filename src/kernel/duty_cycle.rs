//! Duty cycle: long background work rests after each portion for as long as it took.
//!
//! So requests do not wait behind all of it.

use std::time::{Duration, Instant};

/// Bounds the rest, since transactions are open and leases run out.
const MOST_REST: Duration = Duration::from_secs(2);

/// The duty cycle of one piece of work.
#[derive(Default)]
pub struct DutyCycle {
    begun: Option<Instant>,
    rested: Duration,
}

impl DutyCycle {
    /// Called before each portion: rests, unless it is the first or the work has rested enough.
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
        let mut pace = DutyCycle::default();
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
