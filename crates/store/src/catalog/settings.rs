//! The table `catalog_settings`, one row: which columns the catalog has, and the rules for them, as they were adopted from the
//! configuration. Everything that reads or writes own columns takes them from here.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Store,
    database::{
        error::{OrCannot, exactly_one},
        schema::catalog_settings::dsl,
    },
};

/// The adopted settings of the catalog.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CatalogSettings {
    /// The own columns by id, also one that only orders offers. In this order the merge has their texts.
    pub columns: Vec<CatalogColumn>,
    /// The names of those that are shown, in the order of the configuration.
    pub shown: Vec<String>,
    /// The greatest id that any column ever had.
    pub last_id: i64,
    /// Conditions that each row of a feed must meet.
    pub check: Vec<String>,
    /// The column whose greatest value wins.
    pub newest: Option<String>,
    /// Columns that come from certain sources only, with the names of these.
    pub from: BTreeMap<String, Vec<String>>,
    /// The column that `aggr` counts; `None` for the name.
    pub group_by: Option<String>,
    /// Columns with an index.
    pub index: Vec<String>,
}

/// An own column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogColumn {
    /// Its number, which is never given again: a column that comes back under its name is another one.
    pub id: i64,
    /// Its name: `[A-Za-z_][A-Za-z0-9_]*`.
    pub name: String,
}

impl CatalogSettings {
    /// The names of all own columns, in the order of [`Self::columns`].
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }
}

impl Store {
    /// Reads the adopted settings of the catalog.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] if it cannot be read.
    pub fn catalog_settings(&mut self) -> Result<CatalogSettings, Error> {
        let text: String = dsl::catalog_settings
            .select(dsl::settings)
            .first(&mut self.connection)
            .or_cannot(|| "read the settings of the catalog")?;
        serde_json::from_str(&text)
            .map_err(|why| Error::Corrupt { what: format!("`catalog_settings` cannot be read: {why}") })
    }

    /// Stores what is adopted of the catalog, and makes the view `catalog` and the indexes for it. Call it in a transaction.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn put_catalog_settings(&mut self, settings: &CatalogSettings) -> Result<(), Error> {
        // A struct of texts and numbers can always be written.
        let text = serde_json::to_string(settings).unwrap_or_default();
        let changed = diesel::update(dsl::catalog_settings)
            .set(dsl::settings.eq(text))
            .execute(&mut self.connection)
            .or_cannot(|| "store the settings of the catalog")?;
        exactly_one(changed, || "`catalog_settings` does not have exactly one row".to_owned())?;
        self.define_catalog(settings)
    }
}
