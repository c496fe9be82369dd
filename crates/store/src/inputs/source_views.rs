//! Sources with the sums over their files, for people and programs.

use std::collections::HashMap;

use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{BigInt, Bool},
};

use super::{
    file_sums::{FileSums, SourceSums},
    held_versions::HeldVersionRow,
    sources::{SourceRow, SourceState},
};
use crate::{
    Error, Store,
    database::{error::OrCannot, schema::files},
};

/// A source with the sums over the files of one reader, and over those of all others.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceView {
    /// Its name, which identifies it.
    pub name: String,
    /// Its configured URL.
    pub url: String,
    /// The outcome of the last pass.
    pub state: SourceState,
    /// The last version that was applied in full.
    pub version: Option<String>,
    /// The sums over the files of the reader: of product feeds the results are offers, shown or not.
    pub sums: FileSums,
    /// The sums over the files of all other readers.
    pub others: FileSums,
    /// Files whose latest content is rejected, of all readers.
    pub rejected_files: i64,
    /// The time of its last answer.
    pub last_sensed: Option<String>,
    /// The last time that a change of it was applied.
    pub last_applied: Option<String>,
    /// The error of the last pass.
    pub error: Option<String>,
    /// The version that is held.
    pub held: Option<HeldVersionRow>,
}

impl Store {
    /// All sources by name. `reader` is the one whose sums are apart.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn sources_view(&mut self, reader: &str) -> Result<Vec<SourceView>, Error> {
        let sums = self.file_sums(reader)?;
        let mut held: HashMap<i64, _> = self.held_versions()?.into_iter().map(|held| (held.source_id, held)).collect();
        let rejected = self.rejected_files_of_sources()?;
        let mut rows = self.sources()?;
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(rows.into_iter().map(|row| source_view(&sums, &rejected, held.remove(&row.id), row)).collect())
    }

    /// The number of rejected files by source id. Reads no others.
    fn rejected_files_of_sources(&mut self) -> Result<HashMap<i64, i64>, Error> {
        let counts: Vec<(i64, i64)> = files::table
            .filter(sql::<Bool>("state = 'rejected'"))
            // By the column itself, SQLite would read all files in that order.
            .group_by(sql::<BigInt>("+source_id"))
            .select((sql::<BigInt>("+source_id"), sql::<BigInt>("COUNT(DISTINCT path)")))
            .load(&mut self.connection)
            .or_cannot(|| "count the rejected files")?;
        Ok(counts.into_iter().collect())
    }
}

fn source_view(
    sums: &HashMap<i64, SourceSums>,
    rejected: &HashMap<i64, i64>,
    held: Option<HeldVersionRow>,
    row: SourceRow,
) -> SourceView {
    let SourceSums { of_reader, of_others } = sums.get(&row.id).copied().unwrap_or_default();
    SourceView {
        name: row.name,
        url: row.url,
        state: row.state,
        version: row.version,
        sums: of_reader,
        others: of_others,
        rejected_files: rejected.get(&row.id).copied().unwrap_or_default(),
        last_sensed: row.last_sensed,
        last_applied: row.last_applied,
        error: row.error,
        held,
    }
}
