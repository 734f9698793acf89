//! The last things that happened, each with its number since the start: whoever asks again sees by the numbers what is new.

use std::collections::VecDeque;

/// A bounded list that counts what it ever held.
#[derive(Debug, Clone)]
pub(crate) struct Log<T> {
    entries: VecDeque<T>,
    /// Entries that were forgotten.
    forgotten: u64,
    limit: usize,
}

impl<T> Log<T> {
    /// An empty list that keeps the last `limit` entries.
    pub(crate) fn new(limit: usize) -> Self {
        Self { entries: VecDeque::new(), forgotten: 0, limit }
    }

    /// Adds one, forgetting the oldest if there are too many.
    pub(crate) fn push(&mut self, entry: T) {
        if self.entries.len() >= self.limit {
            self.entries.pop_front();
            self.forgotten += 1;
        }
        self.entries.push_back(entry);
    }

    /// Oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        self.entries.iter()
    }

    /// The latest.
    pub(crate) fn last(&self) -> Option<&T> {
        self.entries.back()
    }

    /// Oldest first, with their numbers; the first entry ever has 1.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (u64, &T)> {
        (self.forgotten + 1..).zip(&self.entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_keep_their_numbers_when_older_ones_go() {
        let mut log = Log::new(2);
        ["a", "b", "c"].into_iter().for_each(|entry| log.push(entry));
        assert_eq!(log.numbered().collect::<Vec<_>>(), [(2, &"b"), (3, &"c")]);
        assert_eq!(log.last(), Some(&"c"));
        assert_eq!(log.iter().len(), 2);
    }
}
