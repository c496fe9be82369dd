//! The columns that a report needs, and where they stand in a file.

use std::collections::BTreeMap;

use tributary_csv_gate::folded;

/// The columns that are needed, in the order in which they were first asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Columns {
    /// What the report calls by other names than the files do: its name, folded, and theirs, folded, the first first.
    renamed: BTreeMap<String, Vec<String>>,
    needed: Vec<Column>,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// As the report calls it.
    pub(crate) name: String,
    /// The names that it may have in a header, folded; the first that is there counts.
    pub(crate) headers: Vec<String>,
}

impl Columns {
    /// None yet. `renamed` is as declared.
    pub(crate) fn new(renamed: &BTreeMap<String, Vec<String>>) -> Self {
        let fold = |(name, headers): (&String, &Vec<String>)| {
            (folded(name), headers.iter().map(|header| folded(header)).collect())
        };
        Self { renamed: renamed.iter().map(fold).collect(), needed: Vec::new() }
    }

    /// The place of the column that a report calls `name`, in any case.
    pub(crate) fn place(&mut self, name: &str) -> Result<usize, String> {
        let own = folded(name);
        if own.is_empty() {
            return Err("a column needs a name".to_owned());
        }
        let headers = self.renamed.get(&own).cloned().unwrap_or_else(|| vec![own]);
        if let Some(place) = self.needed.iter().position(|column| column.headers == headers) {
            return Ok(place);
        }
        self.needed.push(Column { name: name.trim().to_owned(), headers });
        Ok(self.needed.len() - 1)
    }

    /// The columns, by their places.
    pub(crate) fn needed(&self) -> &[Column] {
        &self.needed
    }
}

impl Column {
    /// Which field of a file with this header it is: of two columns of one name the first.
    pub(crate) fn field(&self, header: &[String]) -> Option<usize> {
        self.headers.iter().find_map(|name| header.iter().position(|column| folded(column) == *name))
    }
}
