//! Patterns of paths, as in a shell: `*` stays inside a folder, `**` does not.

use crate::glob::Glob;

/// Compiled patterns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patterns(Vec<Glob>);

/// A text that is no pattern.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not a path pattern: {reason}")]
pub struct PatternsError {
    text: String,
    reason: String,
}

impl Patterns {
    /// Compiles patterns.
    ///
    /// # Errors
    /// A text is blank or not a pattern.
    pub fn new(texts: &[String]) -> Result<Self, PatternsError> {
        let error = |text: &String, reason: &str| PatternsError { text: text.clone(), reason: reason.to_owned() };
        let pattern = |text: &String| match text.trim() {
            "" => Err(error(text, "it is blank; write for example `**/*sales*.csv`")),
            _ => Glob::new(text).map_err(|why| error(text, why)),
        };
        Ok(Self(texts.iter().map(pattern).collect::<Result<_, _>>()?))
    }

    /// Whether one of them matches the path.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(path))
    }

    /// The patterns as typed.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(Glob::as_str)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Files chosen by their paths: those that match `include`, or all if that is empty, without those that match `exclude`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Files that are chosen; all if there are no patterns.
    pub include: Patterns,
    /// Files that are not chosen, whatever `include` says.
    pub exclude: Patterns,
}

impl Selection {
    /// Compiles a selection.
    ///
    /// # Errors
    /// A text is blank or not a pattern.
    pub fn new(include: &[String], exclude: &[String]) -> Result<Self, PatternsError> {
        Ok(Self { include: Patterns::new(include)?, exclude: Patterns::new(exclude)? })
    }

    /// Whether it chooses the path.
    #[must_use]
    pub fn contains(&self, path: &str) -> bool {
        (self.include.is_empty() || self.include.matches(path)) && !self.exclude.matches(path)
    }

    /// Whether it chooses every path.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_includes_and_then_excludes() {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let check = |include: &[&str], exclude: &[&str], path: &str, expect: bool| {
            let selection = Selection::new(&texts(include), &texts(exclude)).unwrap();
            assert_eq!(selection.contains(path), expect, "{include:?} {exclude:?} {path}");
            assert_eq!(selection.is_everything(), include.is_empty() && exclude.is_empty());
        };
        check(&[], &[], "a.csv", true);
        check(&["*.csv", "b/*"], &[], "a.csv", true);
        check(&["*.csv", "b/*"], &[], "b/a.txt", true);
        check(&["*.csv", "b/*"], &[], "a.txt", false);
        check(&["*.csv"], &["a*"], "a.csv", false);
        check(&[], &["old/**"], "old/x/a.csv", false);
        check(&[], &["old/**"], "older/a.csv", true);
        check(&[], &["**/old/**"], "x/old/a.csv", false);
        assert!(Selection::new(&[], &texts(&["a***"])).is_err() && Selection::new(&texts(&[""]), &[]).is_err());
    }

    #[test]
    fn a_star_stays_inside_a_folder() {
        let check = |pattern: &str, path: &str, expect: bool| {
            assert_eq!(Patterns::new(&[pattern.to_owned()]).unwrap().matches(path), expect, "{pattern} {path}");
        };
        check("*.csv", "a.csv", true);
        check("*.csv", "b/a.csv", false);
        check("**/*.csv", "b/c/a.csv", true);
        check("**/*.csv", "a.csv", true);
        let error = |pattern: &str| Patterns::new(&[pattern.to_owned()]).unwrap_err().to_string();
        assert!(error("a***").contains("`a***` is not a path pattern"), "{}", error("a***"));
        assert!(error(" ").contains("blank"));
    }
}
