//! The files of a pass that could not be read, for people: the first are named, the others counted.

use tributary_protocol::cut_text;

/// Faults that are named.
const MAX_NAMED: usize = 100;
/// Faults that the `error` of a source names.
const MAX_JOINED: usize = 10;
/// Bytes of a fault that are kept.
const MAX_FAULT_BYTES: usize = 1_024;

/// Faults of files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// The first ones, as `path: reason`.
    pub(crate) named: Vec<String>,
    /// The number of the others.
    pub(crate) more: usize,
}

impl Faults {
    /// These faults and others in one text, of which the first are named; none if there is no fault.
    pub(crate) fn joined(&self, others: impl IntoIterator<Item = String>) -> Option<String> {
        let mut all =
            self.named.iter().cloned().chain(others.into_iter().map(|other| cut_text(&other, MAX_FAULT_BYTES)));
        let mut named: Vec<String> = all.by_ref().take(MAX_JOINED).collect();
        if let more @ 1.. = all.count() + self.more {
            named.push(format!("and {more} more"));
        }
        (!named.is_empty()).then(|| named.join("; "))
    }
}

impl Extend<String> for Faults {
    fn extend<I: IntoIterator<Item = String>>(&mut self, all: I) {
        let mut all = all.into_iter();
        let room = MAX_NAMED.saturating_sub(self.named.len());
        self.named.extend(all.by_ref().take(room).map(|fault| cut_text(&fault, MAX_FAULT_BYTES)));
        self.more += all.count();
    }
}

impl FromIterator<String> for Faults {
    fn from_iter<I: IntoIterator<Item = String>>(all: I) -> Self {
        let mut faults = Self::default();
        faults.extend(all);
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_ten_faults_and_counts_the_others() {
        let text = |count: usize| (0..count).map(|fault| fault.to_string());
        let join = |faults, others| text(faults).collect::<Faults>().joined(text(others));
        assert_eq!(join(0, 0), None);
        assert_eq!(join(2, 8).unwrap(), "0; 1; 0; 1; 2; 3; 4; 5; 6; 7");
        assert_eq!(join(10, 2).unwrap(), "0; 1; 2; 3; 4; 5; 6; 7; 8; 9; and 2 more");
        assert_eq!(join(200, 0).unwrap(), "0; 1; 2; 3; 4; 5; 6; 7; 8; 9; and 190 more");
    }

    #[test]
    fn a_million_faults_take_little_room() {
        let faults: Faults = (0..1_000_000).map(|fault| format!("{fault}: {}", "x".repeat(2_000))).collect();
        assert_eq!((faults.named.len(), faults.more), (MAX_NAMED, 1_000_000 - MAX_NAMED));
        assert!(faults.named[0].len() <= MAX_FAULT_BYTES + "…".len());
        assert_eq!(Faults::default(), Vec::<String>::new().into_iter().collect());
    }
}
