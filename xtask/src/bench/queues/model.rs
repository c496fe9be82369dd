//! The tables as they must be, made by the `sqlite3` shell from a CSV file in which the last row of a sku counts.

use std::{
    fs,
    io::{Seek, Write},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::bench::usage;

/// A database with the table `expected`.
pub(super) struct Model {
    path: PathBuf,
    /// Its products.
    pub(super) products: u64,
}

impl Model {
    /// Makes it of the first `count` rows of a CSV file with the columns sku, name and description.
    pub(super) fn make(csv: &Path, name: &str, count: u64) -> Result<Self> {
        let path = csv.with_file_name(format!("{name}.db"));
        let _ = fs::remove_file(&path);
        let script = format!(
            ".bail on\n.mode csv\n.import '{}' imported\n\
             create table expected as select sku, name, description, max(rowid) as place from imported where rowid <= {count} group by sku;\n\
             drop table imported;\n.mode list\nselect count(*) from expected;\n",
            csv.display()
        );
        let products = shell(&path, &script)?.parse().context("the shell prints no number")?;
        Ok(Self { path, products })
    }

    /// The number of rows in which a database differs: in its products and, with `names`, in the counts of their names.
    pub(super) fn differences(&self, database: &Path, names: bool) -> Result<u64> {
        let mut pairs =
            vec![("select sku, name, description from expected", "select sku, name, description from db.products")];
        if names {
            pairs.push((
                "select name, count(*) from expected group by name",
                "select name, no_of_products from db.aggr",
            ));
        }
        let counts = pairs.iter().flat_map(|(ours, theirs)| [(ours, theirs), (theirs, ours)]);
        let counts: Vec<_> = counts
            .map(|(one, other)| format!("(select count(*) from (select * from ({one}) except {other}))"))
            .collect();
        let script = format!("attach '{}' as db;\nselect {};\n", database.display(), counts.join(" + "));
        shell(&self.path, &script)?.parse().context("the shell prints no number")
    }
}

fn shell(database: &Path, script: &str) -> Result<String> {
    // From a file, because an argument may have no commands of the shell.
    let mut file = tempfile::tempfile().context("failed to make a temporary file")?;
    file.write_all(script.as_bytes())?;
    file.rewind()?;
    let mut command = Command::new("sqlite3");
    command.args(["-init", "/dev/null", "-batch"]).arg(database);
    Ok(usage::run(command, file.into())?.1.trim().to_owned())
}
