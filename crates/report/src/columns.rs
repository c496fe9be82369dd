//! The columns that a report needs, and their positions in a file.

use std::{collections::BTreeMap, fmt};

use tributary_csv_gate::{AmbiguousColumn, find_first, folded};
use tributary_protocol::ColumnSpec;

/// The columns that a report needs, in order of their first use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NeededColumns {
    /// The report's `columns`: its own name for a column, folded, to its place in files.
    declared: BTreeMap<String, Place>,
    needed: Vec<Column>,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// The report's name for the column.
    pub(crate) name: String,
    pub(crate) place: Place,
}

/// The place of a column in a file.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// The possible names in a header, trimmed; the first one that a header contains counts.
    Named(Vec<String>),
    /// The position in a row, from 1.
    At(usize),
}

impl fmt::Debug for Place {
    /// Writes names as a list alone, which keeps the digests of reports from before there were positions.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(headers) => headers.fmt(f),
            Self::At(position) => write!(f, "#{position}"),
        }
    }
}

impl From<&ColumnSpec> for Place {
    fn from(spec: &ColumnSpec) -> Self {
        match spec {
            ColumnSpec::Position(position) => Self::At(usize::try_from(*position).unwrap_or(usize::MAX)),
            ColumnSpec::Headers(names) => Self::Named(names.iter().map(|name| name.trim().to_owned()).collect()),
        }
    }
}

impl NeededColumns {
    /// Starts with no columns. `declared` are those of the report.
    pub(crate) fn new(declared: &BTreeMap<String, ColumnSpec>) -> Self {
        let declared = declared.iter().map(|(name, spec)| (folded(name), spec.into())).collect();
        Self { declared, needed: Vec::new() }
    }

    /// Returns the index of the column with the report's name `name`, and adds the column at its first use.
    pub(crate) fn index(&mut self, name: &str) -> Result<usize, String> {
        let own = folded(name);
        if own.is_empty() {
            return Err("a column needs a name".to_owned());
        }
        let place = self.declared.get(&own).cloned().unwrap_or_else(|| Place::Named(vec![name.trim().to_owned()]));
        if let Some(index) = self.needed.iter().position(|column| column.place == place) {
            return Ok(index);
        }
        self.needed.push(Column { name: name.trim().to_owned(), place });
        Ok(self.needed.len() - 1)
    }

    /// The columns, by index.
    pub(crate) fn needed(&self) -> &[Column] {
        &self.needed
    }
}

impl Column {
    /// Whether the header does not matter.
    pub(crate) fn is_at_position(&self) -> bool {
        matches!(self.place, Place::At(_))
    }

    /// The field of a row that holds the column, in a file with this header; `None` if there is none.
    ///
    /// # Errors
    /// A name could mean two columns.
    pub(crate) fn field(&self, header: &[String]) -> Result<Option<usize>, AmbiguousColumn> {
        match &self.place {
            Place::Named(names) => find_first(header, names),
            Place::At(position) => Ok(position.checked_sub(1).filter(|field| *field < header.len())),
        }
    }

    /// Says that a file of so many columns does not have it.
    pub(crate) fn missing(&self, columns: usize) -> String {
        let Self { name, place } = self;
        let quoted = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let wanted = match place {
            Place::At(position) => {
                let columns = if columns == 1 { "1 column".to_owned() } else { format!("{columns} columns") };
                return format!(
                    "no column {position} for `{name}`: the file has {columns}; correct the position in the report's columns, or set \
                     delimiter = … if they are cut in the wrong places"
                );
            }
            Place::Named(names) if names.len() == 1 => quoted(names),
            Place::Named(names) => format!("`{name}` (one of {})", quoted(names)),
        };
        format!(
            "no column {wanted}: name it in the header, or add its name to the report's columns; skip_rows = … skips lines above the \
             header, and header = […] names the columns of a file without one"
        )
    }
}
