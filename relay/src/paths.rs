//! Keeps the order of what is sent to one path: one document of a path is on its way at a time.

use std::collections::{HashMap, VecDeque};

/// Items that wait until an earlier one of their path has ended.
pub(crate) struct Paths<T> {
    /// A path is here while one of its items is on its way.
    waiting: HashMap<String, VecDeque<T>>,
}

impl<T> Default for Paths<T> {
    fn default() -> Self {
        Self { waiting: HashMap::new() }
    }
}

impl<T> Paths<T> {
    /// Returns the item if it may begin; else it waits.
    pub(crate) fn begin(&mut self, path: &str, item: T) -> Option<T> {
        if let Some(waiting) = self.waiting.get_mut(path) {
            waiting.push_back(item);
            return None;
        }
        self.waiting.insert(path.to_owned(), VecDeque::new());
        Some(item)
    }

    /// Returns the next item of a path, of which one has ended.
    pub(crate) fn ended(&mut self, path: &str) -> Option<T> {
        let next = self.waiting.get_mut(path).and_then(VecDeque::pop_front);
        if next.is_none() {
            self.waiting.remove(path);
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_item_of_a_path_is_on_its_way_at_a_time() {
        let mut paths = Paths::default();
        assert_eq!(paths.begin("a", 1), Some(1));
        assert_eq!(paths.begin("a", 2), None);
        assert_eq!(paths.begin("b", 3), Some(3));
        assert_eq!(paths.begin("a", 4), None);
        assert_eq!(paths.ended("a"), Some(2));
        assert_eq!(paths.ended("b"), None);
        assert_eq!(paths.ended("a"), Some(4));
        assert_eq!(paths.ended("a"), None);
        assert_eq!(paths.begin("a", 5), Some(5));
    }
}
