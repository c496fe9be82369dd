//! Partials that were given out, kept for the next who asks: bounded in bytes, the one that was asked for least recently
//! goes first.

use std::sync::Arc;

/// Bytes of all partials that are kept; a larger one is not.
const MOST_BYTES: usize = 32 << 20;

/// What tells partials apart: the digest of the compiled report, the file's path, which says how it is packed, and its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) digest: String,
    pub(crate) path: String,
    pub(crate) hash: String,
}

/// The kept partials, those that were asked for most recently last.
#[derive(Debug, Default)]
pub(crate) struct Partials {
    kept: Vec<(Key, Arc<Vec<u8>>)>,
}

impl Partials {
    /// The lines of a partial.
    pub(crate) fn get(&mut self, key: &Key) -> Option<Arc<Vec<u8>>> {
        let at = self.kept.iter().position(|(other, _)| other == key)?;
        let found = self.kept.remove(at);
        let lines = Arc::clone(&found.1);
        self.kept.push(found);
        Some(lines)
    }

    /// Whether a partial of so many bytes can be kept.
    pub(crate) fn has_room_for(bytes: usize) -> bool {
        bytes <= MOST_BYTES
    }

    pub(crate) fn put(&mut self, key: Key, lines: Vec<u8>) {
        self.kept.retain(|(other, _)| *other != key);
        self.kept.push((key, Arc::new(lines)));
        let mut bytes: usize = self.kept.iter().map(|(_, lines)| lines.len()).sum();
        while bytes > MOST_BYTES {
            bytes -= self.kept.remove(0).1.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_asked_for_goes_first() {
        let key = |hash: &str| Key { digest: "d".to_owned(), path: "p".to_owned(), hash: hash.to_owned() };
        let mut partials = Partials::default();
        partials.put(key("a"), vec![0; MOST_BYTES / 2]);
        partials.put(key("b"), vec![0; MOST_BYTES / 2]);
        assert!(partials.get(&key("a")).is_some());
        partials.put(key("c"), vec![0; 1]);
        assert!(partials.get(&key("b")).is_none());
        assert!(partials.get(&key("a")).is_some() && partials.get(&key("c")).is_some());
        partials.put(key("c"), vec![0; 2]);
        assert_eq!(partials.get(&key("c")).map(|lines| lines.len()), Some(2));
    }
}
