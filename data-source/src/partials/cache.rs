//! Keeps partials that were sent, for the next caller. It is bounded in bytes; the least recently used partial goes first.

use std::sync::Arc;

use tributary_protocol::FormatSpec;

/// Bytes of all kept partials; a larger one is not kept.
const MAX_BYTES: usize = 32 << 20;

/// Identifies a partial by the digest of the compiled report, how the file is read, its path and its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartialKey {
    pub(crate) digest: String,
    pub(crate) format: FormatSpec,
    pub(crate) path: String,
    pub(crate) hash: String,
}

/// The kept partials, the most recently used last.
#[derive(Debug, Default)]
pub(crate) struct PartialCache {
    kept: Vec<(PartialKey, Arc<Vec<u8>>)>,
}

impl PartialCache {
    /// Returns the lines of a partial.
    pub(crate) fn get(&mut self, key: &PartialKey) -> Option<Arc<Vec<u8>>> {
        let at = self.kept.iter().position(|(other, _)| other == key)?;
        let found = self.kept.remove(at);
        let lines = Arc::clone(&found.1);
        self.kept.push(found);
        Some(lines)
    }

    /// Returns whether a partial of this size can be kept.
    pub(crate) fn has_room_for(bytes: usize) -> bool {
        bytes <= MAX_BYTES
    }

    pub(crate) fn put(&mut self, key: PartialKey, lines: Vec<u8>) {
        self.kept.retain(|(other, _)| *other != key);
        self.kept.push((key, Arc::new(lines)));
        let mut bytes: usize = self.kept.iter().map(|(_, lines)| lines.len()).sum();
        while bytes > MAX_BYTES {
            bytes -= self.kept.remove(0).1.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_goes_first() {
        let key = |hash: &str| PartialKey {
            digest: "d".to_owned(),
            format: FormatSpec::default(),
            path: "p".to_owned(),
            hash: hash.to_owned(),
        };
        let mut partials = PartialCache::default();
        partials.put(key("a"), vec![0; MAX_BYTES / 2]);
        partials.put(key("b"), vec![0; MAX_BYTES / 2]);
        assert!(partials.get(&key("a")).is_some());
        partials.put(key("c"), vec![0; 1]);
        assert!(partials.get(&key("b")).is_none());
        assert!(partials.get(&key("a")).is_some() && partials.get(&key("c")).is_some());
        partials.put(key("c"), vec![0; 2]);
        assert_eq!(partials.get(&key("c")).map(|lines| lines.len()), Some(2));
    }
}
