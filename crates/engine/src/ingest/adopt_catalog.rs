//! Adopt: what the configuration says about the columns of the catalog and their rules, brought into the database.

use anyhow::Result;
use tributary_config::CatalogConfig;
use tributary_store::{CatalogColumn, CatalogSettings, Store};

use super::{
    changes::{self, Skus, Written},
    recorder::ChangeOrigin,
};

/// Work that a changed catalog leaves, once the sources are adopted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CatalogChange {
    /// The skus of which the winner has to be chosen again.
    again: Option<Skus>,
    /// Whether `aggr` was counted again.
    counted: bool,
}

/// Stores the settings of the catalog, with an id for each new column, makes the view and the indexes, and drops the texts of columns
/// that are gone. Belongs into a transaction in which nothing was written yet. Files that have to be read again are found by the next
/// pass: their reading differs.
///
/// # Errors
/// The database fails or is damaged.
pub(crate) fn adopt_catalog(store: &mut Store, config: &CatalogConfig) -> Result<Option<CatalogChange>> {
    let before = store.catalog_settings()?;
    let after = settings(&before, config);
    if before == after {
        return Ok(None);
    }
    let is_gone = |column: &&CatalogColumn| !after.columns.contains(column);
    for column in before.columns.iter().filter(is_gone) {
        store.drop_own_column(&column.name)?;
    }
    store.put_catalog_settings(&after)?;
    let counted = before.group_by != after.group_by;
    if counted {
        store.count_by(after.group_by.as_deref().unwrap_or("name"))?;
    }
    let has_new = after.columns.iter().any(|column| !before.columns.contains(column));
    let again = if before.from != after.from {
        Some(Skus::All)
    } else if before.newest != after.newest {
        Some(Skus::Contested)
    } else {
        // An edit may have kept a text for a column that is back.
        has_new.then_some(Skus::Edited)
    };
    Ok(Some(CatalogChange { again, counted }))
}

impl CatalogChange {
    /// Chooses winners again where the change calls for it. Call it once the sources are adopted.
    ///
    /// # Errors
    /// The database fails or is damaged.
    pub(crate) fn finish(self, store: &mut Store) -> Result<Option<Written>> {
        let origin = &ChangeOrigin::Configuration;
        match self.again {
            // Contested skus may be edited, too, and a column may be new.
            Some(Skus::Contested) => Ok(Some(
                changes::choose_again(store, Skus::Contested, origin)?
                    + changes::choose_again(store, Skus::Edited, origin)?,
            )),
            Some(skus) => Ok(Some(changes::choose_again(store, skus, origin)?)),
            None => Ok(self.counted.then(Written::default)),
        }
    }
}

/// The settings to store: those of the configuration, with the ids that columns have already.
fn settings(before: &CatalogSettings, config: &CatalogConfig) -> CatalogSettings {
    let mut last_id = before.last_id;
    let mut columns: Vec<CatalogColumn> = config
        .own_names()
        .map(|name| {
            let known = before.columns.iter().find(|column| column.name == name);
            known.cloned().unwrap_or_else(|| {
                last_id += 1;
                CatalogColumn { id: last_id, name: name.to_owned() }
            })
        })
        .collect();
    columns.sort_unstable_by_key(|column| column.id);
    CatalogSettings {
        columns,
        shown: config.columns.iter().map(|column| column.name.clone()).collect(),
        last_id,
        check: config.check.clone(),
        newest: config.newest.clone(),
        from: config.from.clone(),
        group_by: config.group_by.clone(),
        index: config.index.clone(),
    }
}

#[cfg(test)]
mod tests {
    use tributary_config::ColumnConfig;

    use super::*;

    #[test]
    fn a_column_keeps_its_id_and_none_gets_that_of_another() {
        let config = |names: &[&str]| CatalogConfig {
            columns: names.iter().map(|name| ColumnConfig { name: (*name).into(), label: String::new() }).collect(),
            ..CatalogConfig::default()
        };
        let ids = |settings: &CatalogSettings| {
            settings.columns.iter().map(|column| format!("{}{}", column.name, column.id)).collect::<Vec<_>>().join(" ")
        };
        let first = settings(&CatalogSettings::default(), &config(&["b", "a"]));
        assert_eq!((ids(&first).as_str(), first.shown.join(" ").as_str()), ("b1 a2", "b a"));
        let second = settings(&first, &config(&["c", "a"]));
        assert_eq!((ids(&second).as_str(), second.shown.join(" ").as_str()), ("a2 c3", "c a"));
        let third = settings(&second, &config(&["b", "c"]));
        assert_eq!((ids(&third).as_str(), third.last_id), ("c3 b4", 4));
    }
}
