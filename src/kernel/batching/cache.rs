//! A bounded cache of costly answers: shared by all threads, emptied when it is full.

use std::hash::Hash;

use dashmap::DashMap;

/// Answers by question.
pub struct BoundedCache<K, V> {
    most: usize,
    known: DashMap<K, V>,
}

impl<K: Eq + Hash, V: Clone> BoundedCache<K, V> {
    /// A cache that holds at most `most` answers.
    pub fn new(most: usize) -> Self {
        Self { most, known: DashMap::new() }
    }

    pub fn get<Q: Eq + Hash + ?Sized>(&self, question: &Q) -> Option<V>
    where
        K: std::borrow::Borrow<Q>,
    {
        self.known.get(question).map(|answer| answer.value().clone())
    }

    /// Caches an answer. A full cache starts anew: every answer can be found out again, and no order has to be kept.
    pub fn insert(&self, question: K, answer: V) {
        if self.known.len() >= self.most {
            self.known.clear();
        }
        self.known.insert(question, answer);
    }

    pub fn clear(&self) {
        self.known.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_holds_more_than_its_bound() {
        let memo = BoundedCache::new(3);
        for n in 0..10 {
            memo.insert(n, n * n);
            assert_eq!(memo.get(&n), Some(n * n));
            assert!(memo.known.len() <= 3);
        }
    }
}
