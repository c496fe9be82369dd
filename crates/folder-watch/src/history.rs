//! Remembers which paths changed after the last versions, so that a caller who has one of them gets only those.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

/// Versions that are remembered.
const MAX_VERSIONS: usize = 1_000;
/// Paths that are remembered, over all versions.
const MAX_PATHS: usize = 100_000;

/// The last versions with what followed each of them. A clone shares the paths.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    /// The oldest first.
    steps: VecDeque<Arc<Step>>,
    /// The number of paths in all steps.
    paths: usize,
}

#[derive(Debug)]
struct Step {
    /// The version before the step.
    from: String,
    /// Paths whose entries it changed, added or removed.
    paths: Vec<Box<str>>,
}

impl History {
    /// Adds the paths that changed after the version `from`, and forgets the oldest versions if these are too many.
    pub(crate) fn push(&mut self, from: String, paths: Vec<Box<str>>) {
        self.paths += paths.len();
        self.steps.push_back(Arc::new(Step { from, paths }));
        while self.steps.len() > MAX_VERSIONS || self.paths > MAX_PATHS {
            self.paths -= self.steps.pop_front().map_or(0, |oldest| oldest.paths.len());
        }
    }

    /// Returns the paths that changed after this version, sorted; `None` if it is not remembered.
    ///
    /// A version may have come more than once, with other times or partial files. The first time counts: a caller may have
    /// it from then.
    pub(crate) fn since(&self, version: &str) -> Option<BTreeSet<&str>> {
        let first = self.steps.iter().position(|step| step.from == version)?;
        Some(self.steps.iter().skip(first).flat_map(|step| &step.paths).map(|path| &**path).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(steps: &[(&str, &[&str])]) -> History {
        let mut history = History::default();
        for (from, paths) in steps {
            history.push((*from).to_owned(), paths.iter().map(|path| (*path).into()).collect());
        }
        history
    }

    #[test]
    fn later_steps_are_joined() {
        let history = history(&[("1", &["b", "a"]), ("2", &["c"]), ("3", &[]), ("2", &["a"])]);
        let since = |version: &str| history.since(version).map(|paths| paths.into_iter().collect::<Vec<_>>());
        assert_eq!(since("1"), Some(vec!["a", "b", "c"]));
        assert_eq!(since("2"), Some(vec!["a", "c"]), "from the first time on");
        assert_eq!(since("3"), Some(vec!["a"]));
        assert_eq!((since(""), since("4")), (None, None));
    }

    #[test]
    fn versions_and_paths_are_bounded() {
        let mut many = History::default();
        for version in 0..=MAX_VERSIONS {
            many.push(version.to_string(), vec!["a".into()]);
        }
        assert_eq!((many.since("0"), many.steps.len(), many.paths), (None, MAX_VERSIONS, MAX_VERSIONS));
        assert!(many.since("1").is_some());
        many.push("large".to_owned(), (0..MAX_PATHS).map(|path| path.to_string().into()).collect());
        assert_eq!((many.steps.len(), many.paths), (1, MAX_PATHS), "what fits stays");
        many.push("small".to_owned(), vec!["a".into()]);
        assert_eq!((many.since("large"), many.since("small")), (None, Some(["a"].into())));
        many.push("larger".to_owned(), vec!["a".into(); MAX_PATHS + 1]);
        assert_eq!((many.steps.len(), many.paths), (0, 0));
    }
}
