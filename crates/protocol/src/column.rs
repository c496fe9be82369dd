//! The column of a file that a report means by a name.

use serde::{Deserialize, Serialize};

use crate::format::one_or_many;

/// A column, by its name in headers or by its position. Names are always written as a list, so that programs which know no
/// positions read them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a name in headers, a list of them, or a position: 1 is the first column")]
pub enum ColumnSpec {
    /// The position in a row, counted from 1.
    Position(u32),
    /// The names that the column may have in a header; the first one present counts.
    #[serde(deserialize_with = "one_or_many")]
    Headers(Vec<String>),
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_column_is_a_position_or_a_list_of_names() {
        let check = |json: &str, expect: ColumnSpec, written: &str| {
            assert_eq!(serde_json::from_str::<ColumnSpec>(json).unwrap(), expect);
            assert_eq!(serde_json::to_string(&expect).unwrap(), written);
        };
        let names = |names: &[&str]| ColumnSpec::Headers(names.iter().map(|name| (*name).to_owned()).collect());
        check("3", ColumnSpec::Position(3), "3");
        check(r#"["a","b"]"#, names(&["a", "b"]), r#"["a","b"]"#);
        check(r#""a""#, names(&["a"]), r#"["a"]"#);
        for wrong in ["-1", "1.5", "4294967296", "true", r#"["a",1]"#, "{}"] {
            let error = serde_json::from_str::<ColumnSpec>(wrong).unwrap_err().to_string();
            assert!(error.contains("or a position: 1 is the first column"), "{error}");
        }
    }

    /// An older program, which reads lists of names only, must refuse the request: it would compute another report.
    #[test]
    fn programs_that_know_no_positions_refuse_them() {
        assert!(serde_json::from_str::<BTreeMap<String, Vec<String>>>(r#"{"sales":3}"#).is_err());
    }
}
