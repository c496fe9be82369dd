//! Answers with partials, for all who ask the same: while they are computed, and afterwards for the next caller. What is kept is bounded;
//! the least recently used answer goes first.

use tributary_http_common::{Shared, WeakShared};
use tributary_protocol::FormatSpec;

/// Answers in memory, which are the small ones, and bytes of these.
const MAX_SMALL: usize = 1000;
const MAX_SMALL_BYTES: u64 = 32 << 20;
/// Answers in temporary files, and bytes of these.
const MAX_FILES: usize = 32;
const MAX_FILE_BYTES: u64 = 1 << 30;

/// Identifies an answer by the digest of the compiled report, how the file is read, its path and its hash, and whether the digest of its
/// lines follows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartialKey {
    pub(crate) digest: String,
    pub(crate) format: FormatSpec,
    pub(crate) path: String,
    pub(crate) hash: String,
    pub(crate) adds_digest: bool,
}

/// The answers, the most recently used last.
#[derive(Default)]
pub(crate) struct PartialCache(Vec<(PartialKey, Body)>);

enum Body {
    /// It is computed as long as anybody waits for it.
    Computing(WeakShared),
    Kept(Shared),
}

impl Body {
    /// The answer, unless it was given up or cut.
    fn get(&self) -> Option<Shared> {
        let shared = match self {
            Self::Computing(weak) => weak.upgrade()?,
            Self::Kept(shared) => shared.clone(),
        };
        shared.size().is_some().then_some(shared)
    }
}

impl PartialCache {
    /// Returns an answer, finished or not.
    pub(crate) fn get(&mut self, key: &PartialKey) -> Option<Shared> {
        let at = self.0.iter().position(|(other, _)| other == key)?;
        let (key, body) = self.0.remove(at);
        let shared = body.get()?;
        self.0.push((key, body));
        Some(shared)
    }

    /// Notes an answer that is being computed.
    pub(crate) fn begin(&mut self, key: PartialKey, shared: &Shared) {
        self.0.retain(|(_, body)| body.get().is_some());
        self.0.push((key, Body::Computing(shared.downgrade())));
    }

    /// Keeps an answer that was computed, but for its last bytes.
    pub(crate) fn keep(&mut self, key: &PartialKey) {
        if let Some(shared) = self.get(key) {
            self.0.pop();
            self.0.push((key.clone(), Body::Kept(shared)));
            self.trim();
        }
    }

    /// Forgets an answer that is no partial.
    pub(crate) fn forget(&mut self, key: &PartialKey) {
        self.0.retain(|(other, _)| other != key);
    }

    /// Forgets what is beyond the bounds.
    fn trim(&mut self) {
        let (mut small, mut files) = ((0, 0), (0, 0));
        let mut bodies = std::mem::take(&mut self.0);
        bodies.reverse();
        bodies.retain(|(_, body)| {
            let Body::Kept(shared) = body else { return true };
            let Some((bytes, is_file)) = shared.size() else { return false };
            let (sum, max_count, max_bytes) = match is_file {
                false => (&mut small, MAX_SMALL, MAX_SMALL_BYTES),
                true => (&mut files, MAX_FILES, MAX_FILE_BYTES),
            };
            let fits = sum.0 < max_count && sum.1 + bytes <= max_bytes;
            if fits {
                *sum = (sum.0 + 1, sum.1 + bytes);
            }
            fits
        });
        bodies.reverse();
        self.0 = bodies;
    }
}

#[cfg(test)]
mod tests {
    use actix_web::web::Bytes;
    use futures_util::{StreamExt, TryStreamExt, stream};
    use tributary_http_common::shared;

    use super::*;

    fn key(hash: usize) -> PartialKey {
        PartialKey {
            digest: "d".to_owned(),
            format: FormatSpec::default(),
            path: "p".to_owned(),
            hash: hash.to_string(),
            adds_digest: false,
        }
    }

    /// An answer of so many pieces of a kilobyte that was taken to its end.
    async fn answer(pieces: usize) -> Shared {
        let body = stream::iter((0..pieces).map(|_| Ok(Bytes::from_static(&[b'x'; 1024]))));
        let shared = shared(body);
        let taken: Vec<_> = shared.clone().stream().try_collect().await.unwrap();
        assert_eq!(taken.concat().len(), pieces << 10);
        shared
    }

    #[actix_web::test]
    async fn what_nobody_waits_for_is_not_given_out() {
        let mut answers = PartialCache::default();
        let first = answer(1).await;
        answers.begin(key(1), &first);
        assert!(answers.get(&key(1)).is_some(), "a second caller joins");
        drop(first);
        assert!(answers.get(&key(1)).is_none(), "it was given up");
        let failing = shared(stream::iter([Err(anyhow::anyhow!("the disk is full"))]));
        answers.begin(key(2), &failing);
        answers.keep(&key(2));
        let taken: Vec<_> = failing.clone().stream().collect().await;
        assert!(taken[0].is_err());
        assert!(answers.get(&key(2)).is_none(), "it was cut");
    }

    #[actix_web::test]
    async fn the_least_recently_used_goes_first() {
        let mut answers = PartialCache::default();
        for number in 0..MAX_FILES + 2 {
            let large = answer(100).await;
            answers.begin(key(number), &large);
            answers.keep(&key(number));
            assert!(answers.get(&key(0)).is_some(), "it is used all the time");
        }
        let kept: Vec<_> = (0..MAX_FILES + 2).filter(|number| answers.get(&key(*number)).is_some()).collect();
        assert_eq!((kept.len(), kept[0], kept[1]), (MAX_FILES, 0, 3));
    }
}
