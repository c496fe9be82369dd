//! Checks of the rows of a feed. What is checked is decided by the caller; this says which cells a check sees.

use super::OfferRow;
use crate::{AmbiguousColumn, Reason, find_column, folded, row::Field};

/// A check of the rows of a feed, see [`Feed::check`](super::Feed::check).
pub trait RowCheck {
    /// The names of the columns that it looks at.
    fn columns(&self) -> Vec<&str>;

    /// Whether it also judges rows that delete their sku; most of their columns are empty.
    fn judges_deletes(&self) -> bool {
        false
    }

    /// Judges a row.
    ///
    /// # Errors
    /// The reason why the row is a reject.
    fn check(&mut self, row: CheckedRow<'_>) -> Result<(), Reason>;
}

/// A row as a check sees it.
#[derive(Clone, Copy)]
pub struct CheckedRow<'a> {
    offer: OfferRow<'a>,
    columns: &'a [Option<CheckedColumn>],
}

impl<'a> CheckedRow<'a> {
    /// The text of a column, counted as in [`RowCheck::columns`]; none if the file does not have it. A column of the catalog has the
    /// text of the offer, with what it inherits from the rows above; a column of the file has its cell as it is.
    #[must_use]
    pub fn text(self, column: usize) -> Option<&'a str> {
        Some(match self.columns.get(column)?.as_ref()? {
            CheckedColumn::Sku => self.offer.sku,
            CheckedColumn::Text(text) => self.offer.texts.get(*text),
            CheckedColumn::Cell { field, .. } => self.offer.texts.row.text_of(field),
        })
    }
}

/// A column that a check looks at.
enum CheckedColumn {
    Sku,
    /// A text of the offer.
    Text(usize),
    /// A column of the file that the catalog does not have.
    Cell {
        index: usize,
        /// That of the current row.
        field: Field,
    },
}

/// The checks of a feed, in order.
#[derive(Default)]
pub(super) struct Checks {
    checks: Vec<FileCheck>,
}

/// A check with its columns in a file.
struct FileCheck {
    check: Box<dyn RowCheck + Send>,
    /// None for those that the file does not have.
    columns: Vec<Option<CheckedColumn>>,
}

/// The columns of the catalog in a file.
#[derive(Clone, Copy)]
pub(super) struct CatalogColumns<'a> {
    /// The names of the texts.
    pub(super) names: &'a [String],
    /// The columns of the texts in the file.
    pub(super) indexes: &'a [Option<usize>],
}

impl CatalogColumns<'_> {
    /// Finds the column that a check calls `name`: one of the catalog, or else one of the file.
    fn find(self, name: &str, header: &[String]) -> Result<Option<CheckedColumn>, AmbiguousColumn> {
        let own = folded(name);
        if own == "sku" {
            return Ok(Some(CheckedColumn::Sku));
        }
        if let Some(text) = self.names.iter().position(|name| folded(name) == own) {
            return Ok(self.indexes[text].map(|_| CheckedColumn::Text(text)));
        }
        let cell = |index| CheckedColumn::Cell { index, field: Field::default() };
        Ok(find_column(header, name)?.map(cell))
    }
}

impl Checks {
    pub(super) fn is_empty(&self) -> bool {
        self.checks.is_empty()
    }

    /// Adds a check, unless the file has none of its columns.
    ///
    /// # Errors
    /// A name could mean two columns of the file.
    pub(super) fn add(
        &mut self,
        check: Box<dyn RowCheck + Send>,
        catalog: CatalogColumns<'_>,
        header: &[String],
    ) -> Result<(), AmbiguousColumn> {
        let columns = check.columns().into_iter().map(|name| catalog.find(name, header));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        if columns.iter().any(Option::is_some) {
            self.checks.push(FileCheck { check, columns });
        }
        Ok(())
    }

    /// The columns of the file that are looked at beside those of the catalog.
    pub(super) fn cells(&self) -> impl Iterator<Item = usize> {
        self.checks.iter().flat_map(|check| &check.columns).filter_map(|column| match column {
            Some(CheckedColumn::Cell { index, .. }) => Some(*index),
            _ => None,
        })
    }

    /// Judges a row. The first check that fails says why.
    pub(super) fn check(&mut self, offer: OfferRow<'_>) -> Result<(), Reason> {
        let mut judging = self.checks.iter_mut().filter(|check| !offer.deletes || check.check.judges_deletes());
        judging.try_for_each(|FileCheck { check, columns }| {
            for column in columns.iter_mut().flatten() {
                if let CheckedColumn::Cell { index, field } = column {
                    offer.texts.row.read(*index, field);
                }
            }
            check.check(CheckedRow { offer, columns })
        })
    }
}
