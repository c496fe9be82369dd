//! Sources with the sums over the files that a reader has of them, for people and programs.

use std::collections::HashMap;

use diesel::prelude::*;

use super::{
    held_versions::HeldVersionRow,
    sources::{SourceRow, SourceState},
};
use crate::{
    Error, Store,
    database::{connection::AnyConnection, error::OrCannot, schema::files},
};

/// A source with the sums over the files of one reader.
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
    /// Number of files.
    pub files: i64,
    /// Results of all files: of product feeds the offers, shown or not.
    pub results: i64,
    /// All rejects of all files.
    pub rejects: i64,
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
    /// All sources with the sums over the files of one reader, by name.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn sources_view(&mut self, reader: &str) -> Result<Vec<SourceView>, Error> {
        let sums = file_sums(&mut self.connection, reader).or_cannot(|| "sum up the files")?;
        let mut held: HashMap<i64, _> = self.held_versions()?.into_iter().map(|held| (held.source_id, held)).collect();
        let mut rows = self.sources()?;
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(rows.into_iter().map(|row| source_view(&sums, held.remove(&row.id), row)).collect())
    }
}

/// The sums over the files of one source.
#[derive(Clone, Copy, Default)]
struct FileSums {
    files: i64,
    results: i64,
    rejects: i64,
}

/// The sums by source id. Added here rather than by the database, whose sum of BIGINTs is not a BIGINT.
fn file_sums(connection: &mut AnyConnection, reader: &str) -> QueryResult<HashMap<i64, FileSums>> {
    let of_reader = files::table.filter(files::reader.eq(reader));
    let rows: Vec<(i64, i64, i64)> =
        of_reader.select((files::source_id, files::results, files::rejects)).load(connection)?;
    let mut sums = HashMap::<i64, FileSums>::new();
    for (source_id, results, rejects) in rows {
        let sum = sums.entry(source_id).or_default();
        sum.files += 1;
        sum.results += results;
        sum.rejects += rejects;
    }
    Ok(sums)
}

fn source_view(sums: &HashMap<i64, FileSums>, held: Option<HeldVersionRow>, row: SourceRow) -> SourceView {
    let FileSums { files, results, rejects } = sums.get(&row.id).copied().unwrap_or_default();
    SourceView {
        name: row.name,
        url: row.url,
        state: row.state,
        version: row.version,
        files,
        results,
        rejects,
        last_sensed: row.last_sensed,
        last_applied: row.last_applied,
        error: row.error,
        held,
    }
}
