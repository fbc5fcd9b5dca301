//! How many things of one account go on at the same time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

/// Counts what accounts have in progress in this process.
#[derive(Default)]
pub struct Turns(Mutex<HashMap<Uuid, usize>>);

/// One thing in progress, until it is dropped.
pub struct Turn {
    turns: Arc<Turns>,
    account_id: Uuid,
}

impl Turns {
    fn counts(&self) -> MutexGuard<'_, HashMap<Uuid, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins something, unless the account has `most` in progress.
    pub fn take(self: &Arc<Self>, account_id: Uuid, most: usize) -> Option<Turn> {
        let mut counts = self.counts();
        let count = counts.entry(account_id).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Turn { turns: self.clone(), account_id })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut counts = self.turns.counts();
        if let Some(count) = counts.get_mut(&self.account_id) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.account_id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_account_has_turns_of_its_own() {
        let turns = Arc::new(Turns::default());
        let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let turn = turns.take(first, 1);
        assert!(turn.is_some() && turns.take(first, 1).is_none() && turns.take(second, 1).is_some());
        drop(turn);
        assert!(turns.take(first, 1).is_some());
        assert!(turns.counts().is_empty());
    }
}
