//! The tokens that open a server, and the comparison of a request with all of them.

use std::{
    fmt,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use sha2::{Digest, Sha256};
use subtle::{ConditionallySelectable, ConstantTimeEq};
use tokio_util::sync::CancellationToken;

use crate::{
    role::{Caller, Role},
    token::{Token, sent},
    token_file::{TokenFileError, TokenLine, read_server_tokens},
};

/// The tokens of a server, by their hashes: all have the same length then, so a comparison reveals none.
#[derive(Clone, Default)]
pub struct Tokens(Vec<Entry>);

#[derive(Clone)]
struct Entry {
    hash: [u8; 32],
    caller: Caller,
    /// Cancelled once the token is no longer in force.
    revoked: CancellationToken,
}

impl Tokens {
    /// Reads a token file.
    ///
    /// # Errors
    /// It cannot be read, or a line of it cannot be used.
    pub fn read(path: &Path) -> Result<Self, TokenFileError> {
        Ok(read_server_tokens(path)?.into_iter().map(Entry::from).collect())
    }

    /// The number of tokens.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Returns whose token this is. Compares with all tokens and takes the same time whether one is right, and which.
    fn find(&self, secret: &[u8]) -> Option<&Entry> {
        let hash: [u8; 32] = Sha256::digest(secret).into();
        let mut found = u32::MAX;
        for (at, entry) in (0..).zip(&self.0) {
            found.conditional_assign(&at, entry.hash.ct_eq(&hash));
        }
        self.0.get(usize::try_from(found).ok()?)
    }
}

impl FromIterator<Entry> for Tokens {
    fn from_iter<T: IntoIterator<Item = Entry>>(entries: T) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl From<TokenLine> for Entry {
    fn from(TokenLine { name, role, token }: TokenLine) -> Self {
        Self {
            hash: Sha256::digest(token.expose()).into(),
            caller: Caller { name: name.map(Arc::from), role },
            revoked: CancellationToken::new(),
        }
    }
}

/// One token without a name, which has all roles.
impl From<Token> for Tokens {
    fn from(token: Token) -> Self {
        std::iter::once(Entry::from(TokenLine { name: None, role: Role::Admin, token })).collect()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({})", self.0.len())
    }
}

/// The tokens in force; clones share them.
#[derive(Debug, Clone)]
pub struct TokensInForce(Arc<RwLock<Arc<Tokens>>>);

impl TokensInForce {
    pub(crate) fn new(tokens: Tokens) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(tokens))))
    }

    /// Puts other tokens into force, for every request from now on. What the callers of the others follow ends.
    pub fn replace(&self, mut tokens: Tokens) {
        let mut in_force = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for old in &in_force.0 {
            match tokens.0.iter_mut().find(|entry| entry.hash == old.hash) {
                Some(kept) => kept.revoked = old.revoked.clone(),
                None => old.revoked.cancel(),
            }
        }
        *in_force = Arc::new(tokens);
    }

    /// Returns what is cancelled once the token in the header `Authorization` is no longer in force; at once if it is not.
    pub(crate) fn revoked(&self, authorization: Option<&[u8]>) -> CancellationToken {
        let revoked = sent(authorization).and_then(|secret| Some(self.in_force().find(&secret)?.revoked.clone()));
        revoked.unwrap_or_else(|| {
            let revoked = CancellationToken::new();
            revoked.cancel();
            revoked
        })
    }

    /// Whether a token has this name, in any case of its letters.
    pub(crate) fn has_name(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        let names = |entry: &Entry| entry.caller.name.as_ref().is_some_and(|known| known.to_lowercase() == name);
        self.in_force().0.iter().any(names)
    }

    fn in_force(&self) -> Arc<Tokens> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Judges the header `Authorization`. `Err(true)`: it has a token, which is wrong.
    pub(crate) fn caller(&self, authorization: Option<&[u8]>) -> Result<Caller, bool> {
        let secret = sent(authorization).ok_or(false)?;
        let found = self.in_force().find(&secret).map(|entry| entry.caller.clone());
        found.ok_or(!secret.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(names: &[&str]) -> Tokens {
        let line = |name: &&str| TokenLine {
            name: Some((*name).to_owned()),
            role: Role::Edit,
            token: Token::new(&format!("token-of-{name}")).unwrap(),
        };
        names.iter().map(line).map(Entry::from).collect()
    }

    #[test]
    fn each_token_is_found_wherever_it_stands() {
        let tokens = tokens(&["ann", "bob", "cid"]);
        for name in ["ann", "bob", "cid"] {
            let found = tokens.find(format!("token-of-{name}").as_bytes()).map(|entry| entry.caller.clone());
            assert_eq!(found, Some(Caller { name: Some(name.into()), role: Role::Edit }));
        }
        for wrong in ["", "token-of-", "token-of-ann ", "token-of-anna", "TOKEN-OF-ANN"] {
            assert!(tokens.find(wrong.as_bytes()).is_none(), "{wrong}");
        }
        assert!(Tokens::default().find(b"").is_none());
    }

    #[test]
    fn what_a_caller_follows_ends_with_the_token() {
        let shared = TokensInForce::new(tokens(&["ann", "bob"]));
        let [ann, bob] = [&b"Bearer token-of-ann"[..], b"Bearer token-of-bob"].map(|sent| shared.revoked(Some(sent)));
        shared.replace(tokens(&["cid", "ann"]));
        assert!(!ann.is_cancelled() && bob.is_cancelled());
        shared.replace(tokens(&["ann", "bob"]));
        assert!(!ann.is_cancelled() && bob.is_cancelled());
        shared.replace(tokens(&["bob"]));
        assert!(ann.is_cancelled());
        assert!(shared.revoked(Some(b"Bearer token-of-ann")).is_cancelled(), "it came too late");
        assert!(shared.revoked(None).is_cancelled());
    }

    #[test]
    fn other_tokens_are_in_force_at_once() {
        let shared = TokensInForce::new(tokens(&["ann"]));
        let other = shared.clone();
        assert!(shared.caller(Some(b"Bearer token-of-ann")).is_ok());
        other.replace(tokens(&["bob"]));
        assert_eq!(shared.caller(Some(b"Bearer token-of-ann")), Err(true));
        assert!(shared.caller(Some(b"Bearer token-of-bob")).is_ok());
        assert_eq!(shared.caller(None), Err(false));
        assert_eq!(shared.caller(Some(b"Bearer ")), Err(false));
        assert!(!format!("{shared:?}").contains("ann"));
    }
}
