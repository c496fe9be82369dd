//! The catalog as it was adopted: which text of an offer is which column, and the rules that decide what a sku shows. It is read from
//! the database inside each transaction that uses it, so it always fits the rows.

use std::{collections::HashMap, sync::Arc};

use anyhow::{Result, anyhow, ensure};
use tributary_csv_gate::{CheckedCell, CheckedRow, Columns, FileReject, OwnColumn, Reason, RowCheck, folded};
use tributary_format_rules::SettingError;
use tributary_merge::{DESCRIPTION, NAME, RankedFile, Ranks, Recency, Survivorship};
use tributary_protocol::FormatSpec;
use tributary_report::{NumberFormat, RowChecks};
use tributary_store::{CatalogSettings, FileOrigin, Store};
use xxhash_rust::xxh3::xxh3_64;

/// The number of the text of the first own column.
pub(super) const FIRST_OWN: usize = DESCRIPTION + 1;

/// The catalog as it was adopted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Catalog {
    settings: CatalogSettings,
    /// The numbers of the sources that the columns of `from` come from.
    from: Vec<(usize, Vec<i64>)>,
}

/// A column that the catalog does not have.
#[derive(Debug, thiserror::Error)]
#[error("the catalog has no column `{name}`; it has {known}")]
pub struct NoColumn {
    name: String,
    known: String,
}

impl Catalog {
    /// Reads the catalog.
    ///
    /// # Errors
    /// The database fails or is damaged.
    pub(crate) fn of(store: &mut Store) -> Result<Self> {
        let settings = store.catalog_settings()?;
        let mut catalog = Self { settings, from: Vec::new() };
        if !catalog.settings.from.is_empty() {
            let sources: HashMap<String, i64> =
                store.sources()?.into_iter().map(|source| (source.name, source.id)).collect();
            for (column, names) in &catalog.settings.from {
                // A source that is not stored yet offers nothing.
                let ids = names.iter().filter_map(|name| sources.get(name).copied()).collect();
                catalog.from.extend(catalog.column(column).map(|column| (column, ids)));
            }
        }
        Ok(catalog)
    }

    /// The number of the text of a column.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        match name {
            "name" => Some(NAME),
            "description" => Some(DESCRIPTION),
            own => self.settings.names().position(|name| name == own).map(|at| FIRST_OWN + at),
        }
    }

    /// The name of the column of a text; empty if there is none of this number.
    pub(crate) fn name(&self, column: usize) -> &str {
        match column {
            NAME => "name",
            DESCRIPTION => "description",
            own => self.own().nth(own - FIRST_OWN).unwrap_or_default(),
        }
    }

    /// The names of the own columns, in the order of their texts.
    pub(crate) fn own(&self) -> impl Iterator<Item = &str> {
        self.settings.names()
    }

    /// The names of all columns that are shown beside the sku.
    pub(crate) fn shown(&self) -> impl Iterator<Item = &str> {
        ["name", "description"].into_iter().chain(self.own_shown())
    }

    /// The names of the own columns that are shown, in the order in which they are.
    pub(crate) fn own_shown(&self) -> impl Iterator<Item = &str> {
        self.settings.shown.iter().map(String::as_str)
    }

    /// The number of the text of a column that is shown.
    ///
    /// # Errors
    /// [`NoColumn`].
    pub(crate) fn shown_column(&self, name: &str) -> Result<usize, NoColumn> {
        let shown = self.shown().find(|shown| *shown == name);
        shown.and_then(|shown| self.column(shown)).ok_or_else(|| self.no_column(name))
    }

    /// Refuses a column that is neither the sku nor shown beside it.
    ///
    /// # Errors
    /// [`NoColumn`].
    pub(crate) fn check_shown(&self, name: &str) -> Result<(), NoColumn> {
        if name == "sku" { Ok(()) } else { self.shown_column(name).map(drop) }
    }

    /// Says that there is no such column.
    fn no_column(&self, name: &str) -> NoColumn {
        let known: Vec<_> = ["sku"].into_iter().chain(self.shown()).map(|name| format!("`{name}`")).collect();
        NoColumn { name: name.to_owned(), known: known.join(", ") }
    }

    /// Whether conditions on a column, and its order, need not read the whole table.
    pub(crate) fn is_indexed(&self, column: &str) -> bool {
        self.settings.index.iter().any(|indexed| indexed == column)
    }

    /// The rules, with the ranks of these files.
    pub(crate) fn survivorship(&self, origins: &[FileOrigin]) -> Survivorship {
        let ranked = |FileOrigin { id, source_id, path, priority, position, rank_key, .. }: &FileOrigin| RankedFile {
            priority: *priority,
            position: *position,
            key: rank_key.clone(),
            path: path.clone(),
            file: *id,
            source: *source_id,
        };
        Survivorship {
            ranks: Ranks::new(origins.iter().map(ranked).collect()),
            newest: self.settings.newest.as_deref().and_then(|newest| self.column(newest)),
            from: self.from.clone(),
            group_by: self.settings.group_by.as_deref().and_then(|column| self.column(column)).unwrap_or(NAME),
        }
    }

    /// Refuses a version that was read for other columns.
    ///
    /// # Errors
    /// The columns have changed since.
    pub(crate) fn check_read_for(&self, columns: &[i64]) -> Result<()> {
        ensure!(
            self.settings.columns.iter().map(|column| column.id).eq(columns.iter().copied()),
            "the columns of the catalog have changed while the files were read; they are read again"
        );
        Ok(())
    }
}

/// Rules by which the feeds of one source are read: the names of their columns and the rules for their rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct FeedRules {
    /// The columns, in the order of the texts.
    pub(crate) columns: Columns,
    /// The ids of the own columns, in the same order.
    pub(crate) ids: Vec<i64>,
    /// Conditions that each row must meet, as they are written.
    pub(crate) checks: Arc<[String]>,
    /// The same, compiled.
    pub(super) compiled: RowChecks,
}

impl FeedRules {
    /// The rules for a source whose columns have these names in files.
    ///
    /// # Errors
    /// A condition cannot be read. The configuration has been checked, so the database is damaged.
    pub(crate) fn new(settings: &CatalogSettings, named: &Columns) -> Result<Self> {
        let own = settings.names().map(|name| {
            let named = named.own.iter().find(|own| own.name == name);
            named.cloned().unwrap_or_else(|| OwnColumn { name: name.to_owned(), headers: Vec::new() })
        });
        let catalog = Catalog { settings: settings.clone(), from: Vec::new() };
        let newest = settings.newest.as_deref().and_then(|newest| catalog.column(newest));
        Ok(Self {
            columns: Columns { own: own.collect(), newest, ..named.clone() },
            ids: settings.columns.iter().map(|column| column.id).collect(),
            checks: settings.check.clone().into(),
            compiled: RowChecks::compile(&settings.check).map_err(|error| anyhow!("{}", error.why))?,
        })
    }

    /// The checks of each row of a file of this format, in the order in which they are made.
    ///
    /// # Errors
    /// The file is rejected: its format cannot work.
    pub(crate) fn row_checks(&self, format: &FormatSpec) -> Result<Vec<Box<dyn RowCheck + Send>>, FileReject> {
        let newest = self.columns.newest.map(|number| match number.checked_sub(FIRST_OWN) {
            Some(own) => self.columns.own[own].name.clone(),
            None => ["name", "description"][number].to_owned(),
        });
        let newest = newest.map(|column| Box::new(HoldsATime { column }) as Box<dyn RowCheck + Send>);
        let mut checks: Vec<_> = newest.into_iter().collect();
        if !self.compiled.is_empty() {
            let numbers = NumberFormat::new(format).map_err(SettingError::from)?;
            checks.push(Box::new(self.compiled.of_file(&numbers)));
        }
        Ok(checks)
    }

    /// Whether a check names a column.
    pub(crate) fn checks_name(&self, column: &str) -> bool {
        self.compiled.columns().any(|name| folded(name) == folded(column))
    }

    /// A number that differs whenever the texts of a row may mean other columns. 0 without own columns.
    pub(crate) fn seed(&self) -> u64 {
        if self.ids.is_empty() {
            return 0;
        }
        let ids: Vec<u8> = self.ids.iter().flat_map(|id| id.to_le_bytes()).collect();
        // The lowest bit tells rows that delete from others.
        xxh3_64(&ids) & !1
    }
}

/// Checks that the column of `newest` holds a time or a number, or nothing.
struct HoldsATime {
    column: String,
}

impl RowCheck for HoldsATime {
    fn columns(&self) -> Vec<&str> {
        vec![&self.column]
    }

    fn judges_deletes(&self) -> bool {
        true
    }

    fn check(&mut self, row: CheckedRow<'_>) -> Result<(), Reason> {
        let text = row.text(0).unwrap_or_default();
        if Recency::parse(text).is_some() {
            return Ok(());
        }
        let CheckedCell { column, found } = CheckedCell::new(&self.column, text);
        Err(Reason::NotATime { column, found })
    }
}
