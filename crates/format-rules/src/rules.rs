//! A list of rules, of which the first that matches a path counts.

use tributary_protocol::{FormatSpec, Order};

use crate::{Patterns, SettingError, file_format, settings::check_rule};

/// Rules in their order. Of several that match a path the first counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FormatRules(Vec<Rule>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    files: Patterns,
    spec: FormatSpec,
}

/// A rule that cannot work.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct RuleError {
    /// The position of the rule, counted from 0.
    pub index: usize,
    /// The setting at fault.
    pub error: SettingError,
}

impl FormatRules {
    /// Checks and compiles rules.
    ///
    /// # Errors
    /// A rule cannot work for any file.
    pub fn new(specs: &[FormatSpec]) -> Result<Self, RuleError> {
        let rule = |(index, spec): (usize, &FormatSpec)| {
            let files = Patterns::new(&spec.files)
                .map_err(|why| SettingError { key: Some("files"), reason: why.to_string() })
                .and_then(|files| check_rule(spec).and_then(|()| file_format(spec)).map(|_| files))
                .map_err(|error| RuleError { index, error })?;
            Ok(Rule { files, spec: spec.clone() })
        };
        Ok(Self(specs.iter().enumerate().map(rule).collect::<Result<_, _>>()?))
    }

    /// The settings for a file; all are missing if no rule matches. `files` is empty in it.
    #[must_use]
    pub fn spec(&self, path: &str) -> FormatSpec {
        let rule = self.0.iter().find(|rule| rule.files.is_empty() || rule.files.matches(path));
        rule.map(|rule| FormatSpec { files: Vec::new(), ..rule.spec.clone() }).unwrap_or_default()
    }

    /// The settings for a file of which nobody knows from which folder on its path counts: the first rule that matches it from any folder
    /// on. `None` if no rule matches.
    #[must_use]
    pub fn spec_from_any_folder(&self, path: &str) -> Option<FormatSpec> {
        let from_each = || std::iter::successors(Some(path), |path| Some(path.split_once('/')?.1));
        let matches = |rule: &&Rule| rule.files.is_empty() || from_each().any(|path| rule.files.matches(path));
        self.0.iter().find(matches).map(|rule| FormatSpec { files: Vec::new(), ..rule.spec.clone() })
    }

    /// Whether a file is read as a sheet of a workbook.
    #[must_use]
    pub fn reads_sheet(&self, path: &str) -> bool {
        self.spec(path).sheet.is_some()
    }

    /// The rules as typed.
    pub fn specs(&self) -> impl Iterator<Item = &FormatSpec> {
        self.0.iter().map(|rule| &rule.spec)
    }
}

/// The rules for the files of one source. A setting of the master wins over the same one that the source announces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceFormats {
    /// The master's rules.
    pub own: FormatRules,
    /// Those of the source's manifest.
    pub announced: FormatRules,
}

impl SourceFormats {
    /// The settings for a file, as [`FormatRules::spec`].
    #[must_use]
    pub fn spec(&self, path: &str) -> FormatSpec {
        self.own.spec(path).or(self.announced.spec(path))
    }

    /// Whether any file is ranked by its time.
    #[must_use]
    pub fn rank_by_time(&self) -> bool {
        self.own.specs().chain(self.announced.specs()).any(|spec| spec.order == Some(Order::Modified))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(files: &[&str], delimiter: &str) -> FormatSpec {
        let files = files.iter().map(|text| (*text).to_owned()).collect();
        FormatSpec { files, delimiter: Some(delimiter.to_owned()), ..FormatSpec::default() }
    }

    #[test]
    fn the_first_rule_that_matches_counts() {
        let rules = FormatRules::new(&[rule(&["*.txt", "old/*"], ";"), rule(&["a.*"], "|"), rule(&[], "^")]).unwrap();
        let check =
            |path: &str, expect: &str| assert_eq!(rules.spec(path).delimiter.as_deref(), Some(expect), "{path}");
        check("a.txt", ";");
        check("old/b.csv", ";");
        check("a.csv", "|");
        check("b/a.csv", "^");
        assert_eq!(FormatRules::default().spec("a.txt"), FormatSpec::default());
    }

    #[test]
    fn a_path_counts_from_any_folder_on() {
        let rules = FormatRules::new(&[rule(&["export/*.txt"], ";"), rule(&["*.csv"], "|")]).unwrap();
        let check = |path: &str, expect: Option<&str>| {
            let found = rules.spec_from_any_folder(path).and_then(|spec| spec.delimiter);
            assert_eq!(found.as_deref(), expect, "{path}");
        };
        check("/home/feeds/export/f.txt", Some(";"));
        check("export/f.txt", Some(";"));
        check("feeds/export/f.csv", Some("|"));
        check("feeds/my-export/f.txt", None);
        check("f.txt", None);
    }

    #[test]
    fn a_setting_of_the_master_wins_over_an_announced_one() {
        let own = FormatRules::new(&[rule(&["a.csv"], ";")]).unwrap();
        let quoted = FormatSpec { quote: Some("'".into()), ..rule(&[], "|") };
        let formats = SourceFormats { own, announced: FormatRules::new(&[quoted]).unwrap() };
        let (a, b) = (formats.spec("a.csv"), formats.spec("b.csv"));
        assert_eq!((a.delimiter.as_deref(), a.quote.as_deref()), (Some(";"), Some("'")));
        assert_eq!((b.delimiter.as_deref(), b.quote.as_deref()), (Some("|"), Some("'")));
    }

    #[test]
    fn a_rule_that_cannot_work_is_named() {
        let error = FormatRules::new(&[rule(&[], ";"), rule(&[], "")]).unwrap_err();
        assert_eq!((error.index, error.error.key), (1, Some("delimiter")));
        assert_eq!(FormatRules::new(&[rule(&["a***"], ";")]).unwrap_err().error.key, Some("files"));
    }
}
