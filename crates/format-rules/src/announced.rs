//! Bounds on what another program asks for: a source that announces formats, or whoever asks a source to read a file by its settings.
//! Either may lower a limit, and raise it only as far as memory allows.

use tributary_protocol::FormatSpec;

use crate::{FormatRules, RuleError, SettingError, size, size_text};

/// Longest field. A record has four times the room.
const MAX_FIELD: u64 = 2 << 20;
/// Longest record.
const MAX_RECORD: u64 = 4 * MAX_FIELD;
/// Most columns of a file: those of a sheet in Excel.
const MAX_FILE_COLUMNS: u64 = 1 << 14;
/// Most unpacked bytes per packed byte: more than gzip reaches with a table.
const MAX_UNPACKED_RATIO: u64 = 1_000;
/// Largest window of a Zstandard archive.
const MAX_WINDOW: u64 = 128 << 20;
/// Most patterns of all rules, and most bytes of them: each may be compared with each path.
const MAX_PATTERNS: usize = 256;
const MAX_PATTERN_BYTES: usize = 8 << 10;

impl FormatRules {
    /// Checks and compiles the rules that a source announces. Limits beyond the bounds are lowered to them.
    ///
    /// # Errors
    /// A rule cannot work for any file, or there are too many patterns.
    pub fn announced(specs: &[FormatSpec]) -> Result<Self, RuleError> {
        let (mut patterns, mut bytes) = (0, 0);
        for (index, spec) in specs.iter().enumerate() {
            patterns += spec.files.len();
            bytes += spec.files.iter().map(String::len).sum::<usize>();
            if patterns > MAX_PATTERNS || bytes > MAX_PATTERN_BYTES {
                let reason = format!(
                    "a source announces at most {MAX_PATTERNS} patterns of {MAX_PATTERN_BYTES} bytes in all: use fewer, with `*`"
                );
                return Err(RuleError { index, error: SettingError { key: Some("files"), reason } });
            }
        }
        Self::new(&specs.iter().map(|spec| bounded(spec.clone(), &FormatSpec::default())).collect::<Vec<_>>())
    }
}

/// Lowers limits that lie beyond the bounds, and beyond those that the operator of this program has `written`.
#[must_use]
pub fn bounded(spec: FormatSpec, written: &FormatSpec) -> FormatSpec {
    let count = |asked: Option<u64>, written: Option<u64>, bound: u64| {
        asked.map(|asked| asked.min(bound.max(written.unwrap_or(0))))
    };
    FormatSpec {
        max_field: bounded_size(spec.max_field, written.max_field.as_deref(), MAX_FIELD),
        max_record: bounded_size(spec.max_record, written.max_record.as_deref(), MAX_RECORD),
        max_window: bounded_size(spec.max_window, written.max_window.as_deref(), MAX_WINDOW),
        max_columns: count(spec.max_columns, written.max_columns, MAX_FILE_COLUMNS),
        max_ratio: count(spec.max_ratio, written.max_ratio, MAX_UNPACKED_RATIO),
        ..spec
    }
}

/// Lowers a size. A text that is none stays, and is refused where it is checked.
fn bounded_size(asked: Option<String>, written: Option<&str>, bound: u64) -> Option<String> {
    let bound = written.and_then(|written| size(written).ok()).map_or(bound, |written| written.max(bound));
    asked.map(|asked| if size(&asked).is_ok_and(|bytes| bytes > bound) { size_text(bound) } else { asked })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings;

    /// A megabyte of gzip took gigabytes of a master, because its source had lifted the limits.
    #[test]
    fn a_source_raises_limits_only_so_far() {
        let greedy = FormatSpec {
            max_record: Some("64GiB".into()),
            max_field: Some("64GiB".into()),
            max_columns: Some(1 << 40),
            max_ratio: Some(1 << 40),
            max_window: Some("2GiB".into()),
            ..FormatSpec::default()
        };
        let limits = |rules: FormatRules| settings(&rules.spec("a.csv")).unwrap().limits;
        let found = limits(FormatRules::announced(std::slice::from_ref(&greedy)).unwrap());
        assert_eq!((found.field_bytes, found.record_bytes, found.columns), (2 << 20, 8 << 20, 1 << 14));
        assert_eq!((found.lookahead_bytes, found.unpacked_ratio, found.max_window), (32 << 20, 1_000, 128 << 20));
        let written = limits(FormatRules::new(std::slice::from_ref(&greedy)).unwrap());
        assert_eq!((written.record_bytes, written.columns), (64 << 30, 1 << 40), "an operator's own count as written");

        let owner = FormatSpec { max_record: Some("64MiB".into()), ..FormatSpec::default() };
        let asked = bounded(greedy, &owner);
        assert_eq!((asked.max_record.as_deref(), asked.max_field.as_deref()), (Some("64 MiB"), Some("2 MiB")));
        let one = |spec: FormatSpec| limits(FormatRules::announced(&[spec]).unwrap());
        let field = one(FormatSpec { max_field: Some("4MiB".into()), ..FormatSpec::default() });
        assert_eq!(
            (field.field_bytes, field.record_bytes),
            (2 << 20, 8 << 20),
            "a field does not lift the record either"
        );
        let low = FormatSpec { max_record: Some("1KiB".into()), max_columns: Some(3), ..FormatSpec::default() };
        assert_eq!((one(low.clone()).record_bytes, one(low).columns), (1 << 10, 3));
        let wrong = FormatSpec { max_record: Some("many".into()), ..FormatSpec::default() };
        assert!(FormatRules::announced(&[wrong]).is_err());
    }

    #[test]
    fn patterns_of_a_source_are_few_and_short() {
        let rules = |count: usize, text: &str| {
            vec![FormatSpec { files: vec![text.to_owned(); count], ..FormatSpec::default() }; 2]
        };
        assert!(FormatRules::announced(&rules(128, "*.csv")).is_ok());
        for wrong in [rules(129, "*.csv"), rules(1, &"*a".repeat(3_000))] {
            let error = FormatRules::announced(&wrong).unwrap_err();
            assert_eq!((error.index, error.error.key), (1, Some("files")));
            assert!(FormatRules::new(&wrong).is_ok(), "an operator's own count as written");
        }
    }
}
