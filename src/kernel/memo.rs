//! A bounded memory of what is costly to find out: shared by all threads, emptied when it is full.

use std::hash::Hash;

use dashmap::DashMap;

/// Answers by question.
pub struct Memo<K, V> {
    most: usize,
    known: DashMap<K, V>,
}

impl<K: Eq + Hash, V: Clone> Memo<K, V> {
    /// One that remembers at most `most` answers.
    pub fn new(most: usize) -> Self {
        Self { most, known: DashMap::new() }
    }

    pub fn get<Q: Eq + Hash + ?Sized>(&self, question: &Q) -> Option<V>
    where
        K: std::borrow::Borrow<Q>,
    {
        self.known.get(question).map(|answer| answer.value().clone())
    }

    /// Remembers an answer. A full memory starts anew: everything can be found out again, and nothing has to be kept in order.
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
        let memo = Memo::new(3);
        for n in 0..10 {
            memo.insert(n, n * n);
            assert_eq!(memo.get(&n), Some(n * n));
            assert!(memo.known.len() <= 3);
        }
    }
}
