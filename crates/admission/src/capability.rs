//! Capabilities: secrets in a URL that open some files for some time, for programs that send no `Authorization`. They live in memory,
//! so a restart revokes all: docs/decisions/0029-capability-paths.md.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use crate::Token;

/// The length of a capability in characters: 256 random bits.
pub const CAPABILITY_CHARS: usize = 43;
/// The longest time that a capability is valid.
pub const MAX_CAPABILITY_TIME: Duration = Duration::from_secs(24 * 60 * 60);
/// Most capabilities that are valid at a time.
pub const MAX_CAPABILITIES: usize = 1_000;
/// Most bytes of the paths of all of them, each counted with what it takes beside its text.
pub const MAX_CAPABILITY_PATH_BYTES: usize = 16 << 20;
/// Bytes that a path takes beside its text. Millions of paths of three bytes would take twenty times what they count for without it.
const PATH_OVERHEAD: usize = 80;

/// The files that a capability opens.
#[derive(Clone, PartialEq, Eq)]
pub enum Scope {
    /// All.
    All,
    /// These paths.
    Paths(HashSet<String>),
}

impl Scope {
    /// Whether it opens this path.
    #[must_use]
    pub fn contains(&self, path: &str) -> bool {
        match self {
            Self::All => true,
            Self::Paths(paths) => paths.contains(path),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::All => 0,
            Self::Paths(paths) => paths.iter().map(|path| path.len() + PATH_OVERHEAD).sum(),
        }
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("All"),
            Self::Paths(paths) => write!(f, "Paths({})", paths.len()),
        }
    }
}

/// The reason why there is no capability.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CapabilityError {
    /// Too many are valid, or their paths are too long.
    #[error("too many capabilities are valid: delete those that are not needed, or wait until some expire")]
    TooMany,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}

/// The capabilities of a server. They are kept by their hashes, so the time of a search reveals nothing of one that exists.
#[derive(Default)]
pub struct Capabilities {
    /// Held to look up or to change one.
    valid: Mutex<HashMap<[u8; 32], Valid>>,
}

struct Valid {
    scope: Arc<Scope>,
    until: Instant,
    /// Cancelled once the token of the caller who got it is no longer in force.
    revoked: CancellationToken,
}

impl Valid {
    fn is_valid(&self, now: Instant) -> bool {
        now < self.until && !self.revoked.is_cancelled()
    }
}

impl Capabilities {
    /// Makes a capability that opens `scope` for `time` from `now` on, at most [`MAX_CAPABILITY_TIME`], and until `revoked` is cancelled.
    ///
    /// # Errors
    /// Too many are valid already, or there are no random bytes.
    pub fn issue(
        &self,
        scope: Scope,
        (now, time): (Instant, Duration),
        revoked: CancellationToken,
    ) -> Result<String, CapabilityError> {
        let secret = Token::random()?.expose().to_owned();
        let mut valid = self.valid();
        valid.retain(|_, one| one.is_valid(now));
        let bytes: usize = valid.values().map(|one| one.scope.bytes()).sum();
        if valid.len() >= MAX_CAPABILITIES || bytes + scope.bytes() > MAX_CAPABILITY_PATH_BYTES {
            return Err(CapabilityError::TooMany);
        }
        let one = Valid { scope: Arc::new(scope), until: now + time.min(MAX_CAPABILITY_TIME), revoked };
        valid.insert(hash(&secret), one);
        Ok(secret)
    }

    /// Returns what a capability opens, if it is valid.
    #[must_use]
    pub fn find(&self, secret: &str, now: Instant) -> Option<Arc<Scope>> {
        let valid = self.valid();
        valid.get(&hash(secret)).filter(|one| one.is_valid(now)).map(|one| Arc::clone(&one.scope))
    }

    /// Revokes a capability, and returns whether it was valid.
    pub fn revoke(&self, secret: &str, now: Instant) -> bool {
        self.valid().remove(&hash(secret)).is_some_and(|one| one.is_valid(now))
    }

    /// The number of those that are valid.
    #[must_use]
    pub fn count(&self, now: Instant) -> usize {
        self.valid().values().filter(|one| one.is_valid(now)).count()
    }

    fn valid(&self) -> MutexGuard<'_, HashMap<[u8; 32], Valid>> {
        self.valid.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Capabilities({})", self.valid().len())
    }
}

fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn paths(paths: &[&str]) -> Scope {
        Scope::Paths(paths.iter().map(|path| (*path).to_owned()).collect())
    }

    #[test]
    fn a_capability_opens_its_paths_for_its_time() {
        let (capabilities, now) = (Capabilities::default(), Instant::now());
        let issue = |scope, time| capabilities.issue(scope, (now, time), CancellationToken::new()).unwrap();
        let (some, all) = (issue(paths(&["a.csv", "b/c.csv"]), MINUTE), issue(Scope::All, 9 * MAX_CAPABILITY_TIME));
        assert!(some != all && some.len() == CAPABILITY_CHARS && all.len() == CAPABILITY_CHARS);
        let scope = capabilities.find(&some, now).unwrap();
        assert!(scope.contains("a.csv") && scope.contains("b/c.csv"));
        assert!(!scope.contains("b") && !scope.contains("b/") && !scope.contains("A.csv") && !scope.contains(""));
        assert!(capabilities.find(&all, now).unwrap().contains("anything"));
        assert_eq!(capabilities.find(&some, now + MINUTE), None);
        assert!(capabilities.find(&all, now + MAX_CAPABILITY_TIME - MINUTE).is_some());
        assert_eq!(capabilities.find(&all, now + MAX_CAPABILITY_TIME), None);
        for wrong in ["", &some[1..], &format!("{some}x"), &some.to_uppercase()] {
            assert_eq!(capabilities.find(wrong, now), None, "{wrong}");
        }
    }

    #[test]
    fn it_ends_with_the_token_it_came_from_and_when_it_is_revoked() {
        let (capabilities, now) = (Capabilities::default(), Instant::now());
        let token = CancellationToken::new();
        let one = capabilities.issue(Scope::All, (now, MINUTE), token.clone()).unwrap();
        let other = capabilities.issue(Scope::All, (now, MINUTE), CancellationToken::new()).unwrap();
        assert_eq!(capabilities.count(now), 2);
        token.cancel();
        assert!(capabilities.find(&one, now).is_none() && capabilities.find(&other, now).is_some());
        assert!(!capabilities.revoke(&one, now) && capabilities.revoke(&other, now));
        assert!(capabilities.find(&other, now).is_none() && !capabilities.revoke(&other, now));
        assert_eq!(capabilities.count(now), 0);
    }

    #[test]
    fn there_is_a_bound_and_what_expired_does_not_count() {
        let (capabilities, now) = (Capabilities::default(), Instant::now());
        let issue = |scope, now| capabilities.issue(scope, (now, MINUTE), CancellationToken::new());
        let long = "x".repeat(MAX_CAPABILITY_PATH_BYTES - PATH_OVERHEAD);
        assert!(matches!(issue(paths(&[&long, "y"]), now), Err(CapabilityError::TooMany)));
        issue(paths(&[&long]), now).unwrap();
        assert!(matches!(issue(paths(&["y"]), now), Err(CapabilityError::TooMany)));
        for _ in 1..MAX_CAPABILITIES {
            issue(Scope::All, now).unwrap();
        }
        assert!(matches!(issue(Scope::All, now), Err(CapabilityError::TooMany)));
        issue(paths(&["y"]), now + MINUTE).unwrap();
        assert_eq!(capabilities.count(now + MINUTE), 1);
    }

    #[test]
    fn no_secret_and_no_path_is_printed() {
        let (capabilities, now) = (Capabilities::default(), Instant::now());
        let secret = capabilities.issue(paths(&["a.csv"]), (now, MINUTE), CancellationToken::new()).unwrap();
        let shown = format!("{capabilities:?} {:?}", capabilities.find(&secret, now));
        assert_eq!(shown, "Capabilities(1) Some(Paths(1))");
    }
}
