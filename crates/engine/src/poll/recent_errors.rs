//! The last distinct errors of a source, with when each was first and last seen. They are lost at a restart; the last one is in
//! the database.

use crate::clock::now;

/// Distinct errors that are kept.
const MAX_ERRORS: usize = 20;
/// Bytes of an error that are kept.
const MAX_ERROR_BYTES: usize = 2_048;

/// An error of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentError {
    /// The error.
    pub text: String,
    /// The time when it was first seen, RFC 3339.
    pub first_at: String,
    /// The time when it was last seen, RFC 3339.
    pub last_at: String,
    /// The number of passes that ended with it.
    pub count: u64,
}

/// The last distinct errors, the latest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RecentErrors(Vec<RecentError>);

impl RecentErrors {
    /// Notes that a pass ended with an error.
    pub(super) fn note(&mut self, error: &str) {
        let text = &error[..error.floor_char_boundary(MAX_ERROR_BYTES)];
        let at = now();
        let known = self.0.iter().position(|known| known.text == text).map(|known| self.0.remove(known));
        let noted = match known {
            Some(known) => RecentError { last_at: at, count: known.count + 1, ..known },
            None => RecentError { text: text.to_owned(), first_at: at.clone(), last_at: at, count: 1 },
        };
        self.0.insert(0, noted);
        self.0.truncate(MAX_ERRORS);
    }

    /// All of them, the latest first.
    pub(super) fn list(&self) -> &[RecentError] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_errors_are_counted_and_old_ones_forgotten() {
        let mut errors = RecentErrors::default();
        for text in ["refused", "slow", "refused"] {
            errors.note(text);
        }
        let found: Vec<_> = errors.list().iter().map(|error| (error.text.as_str(), error.count)).collect();
        assert_eq!(found, [("refused", 2), ("slow", 1)]);
        assert!(errors.list()[0].first_at <= errors.list()[0].last_at);
        for number in 0..30 {
            errors.note(&format!("{number}"));
        }
        assert_eq!((errors.list().len(), errors.list()[0].text.as_str()), (MAX_ERRORS, "29"));
        errors.note(&"é".repeat(2_000));
        assert_eq!(errors.list()[0].text.len(), MAX_ERROR_BYTES);
    }
}
