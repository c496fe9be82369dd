//! The columns that a report needs, and their positions in a file.

use std::collections::BTreeMap;

use tributary_csv_gate::{AmbiguousColumn, find_first, folded};

/// The columns that a report needs, in order of their first use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NeededColumns {
    /// The report's `columns`: its own name for a column, folded, to the names in headers, by precedence.
    renamed: BTreeMap<String, Vec<String>>,
    needed: Vec<Column>,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// The report's name for the column.
    pub(crate) name: String,
    /// The possible names in a header, trimmed; the first one that a header contains counts.
    pub(crate) headers: Vec<String>,
}

impl NeededColumns {
    /// Starts with no columns. `renamed` is as declared in the report.
    pub(crate) fn new(renamed: &BTreeMap<String, Vec<String>>) -> Self {
        let fold = |(name, headers): (&String, &Vec<String>)| {
            (folded(name), headers.iter().map(|header| header.trim().to_owned()).collect())
        };
        Self { renamed: renamed.iter().map(fold).collect(), needed: Vec::new() }
    }

    /// Returns the index of the column with the report's name `name`, and adds the column at its first use.
    pub(crate) fn index(&mut self, name: &str) -> Result<usize, String> {
        let own = folded(name);
        if own.is_empty() {
            return Err("a column needs a name".to_owned());
        }
        let headers = self.renamed.get(&own).cloned().unwrap_or_else(|| vec![name.trim().to_owned()]);
        if let Some(index) = self.needed.iter().position(|column| column.headers == headers) {
            return Ok(index);
        }
        self.needed.push(Column { name: name.trim().to_owned(), headers });
        Ok(self.needed.len() - 1)
    }

    /// The columns, by index.
    pub(crate) fn needed(&self) -> &[Column] {
        &self.needed
    }
}

impl Column {
    /// The position of the column in a header; `None` if it has none.
    ///
    /// # Errors
    /// A name could mean two columns.
    pub(crate) fn field(&self, header: &[String]) -> Result<Option<usize>, AmbiguousColumn> {
        find_first(header, &self.headers)
    }
}
