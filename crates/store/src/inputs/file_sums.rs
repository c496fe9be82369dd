//! Sums over the files of each source, per reader. The database adds them up in one index, because files are many.

use std::collections::{BTreeSet, HashMap};

use diesel::{
    dsl::{count_star, sql},
    prelude::*,
    sql_types::BigInt,
};

use crate::{
    Error, Store,
    database::{error::OrCannot, schema::files},
};

/// The sums over the files that some readers have of a source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileSums {
    /// Number of files. One that several readers read counts once.
    pub files: i64,
    /// Their rows, rejects included. Those of a file that several readers read count for each.
    pub rows: i64,
    /// Their results: distinct skus, or groups.
    pub results: i64,
    /// All of their rejects.
    pub rejects: i64,
}

/// The sums of a source: those of one reader, and those of all others together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct SourceSums {
    pub(super) of_reader: FileSums,
    pub(super) of_others: FileSums,
}

impl Store {
    /// The sums by source id. `reader` is the one whose sums are apart.
    pub(super) fn file_sums(&mut self, reader: &str) -> Result<HashMap<i64, SourceSums>, Error> {
        let rows: Vec<(i64, String, i64, i64, i64, i64)> = files::table
            .group_by((files::source_id, files::reader))
            .select((
                files::source_id,
                files::reader,
                count_star(),
                // A sum of BIGINTs is no BIGINT for diesel.
                sql::<BigInt>("CAST(SUM(row_count) AS BIGINT)"),
                sql::<BigInt>("CAST(SUM(results) AS BIGINT)"),
                sql::<BigInt>("CAST(SUM(rejects) AS BIGINT)"),
            ))
            .load(&mut self.connection)
            .or_cannot(|| "sum up the files")?;
        let mut sums = HashMap::<i64, SourceSums>::new();
        let mut others = BTreeSet::new();
        for (source_id, of, files, rows, results, rejects) in rows {
            let of_source = sums.entry(source_id).or_default();
            if of == reader {
                of_source.of_reader = FileSums { files, rows, results, rejects };
            } else {
                let sums = &mut of_source.of_others;
                (sums.files, sums.rows) = (sums.files + files, sums.rows + rows);
                (sums.results, sums.rejects) = (sums.results + results, sums.rejects + rejects);
                others.insert(of);
            }
        }
        // Of several readers some may read the same files. Only then all paths must be looked at.
        if others.len() > 1 {
            self.count_files_of_others(reader, &mut sums)?;
        }
        Ok(sums)
    }

    fn count_files_of_others(&mut self, reader: &str, sums: &mut HashMap<i64, SourceSums>) -> Result<(), Error> {
        let counts: Vec<(i64, i64)> = files::table
            .filter(files::reader.ne(reader))
            .group_by(files::source_id)
            .select((files::source_id, sql::<BigInt>("COUNT(DISTINCT path)")))
            .load(&mut self.connection)
            .or_cannot(|| "count the files")?;
        for (source_id, files) in counts {
            sums.entry(source_id).or_default().of_others.files = files;
        }
        Ok(())
    }
}
