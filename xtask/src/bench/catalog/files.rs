//! Many small files: a request per file must not cost more than the file.

use std::{fs, path::Path};

use anyhow::{Result, ensure};

use super::{
    peers::{Peer, Peers},
    stage::SETTLE,
};
use crate::bench::{
    figures::{Spread, seconds, thousands},
    running::{Served, database, fresh},
    shell::Shell,
    table::Row,
};

/// Files of one row.
const FILES: u64 = 20_000;
/// The longest that `master --once` may take, in times of DuckDB.
const MAX_RATIO: f64 = 3.0;

/// Measures the line `files`.
pub(super) fn measure(home: &Path, peers: &Peers, pairs: usize) -> Result<Vec<Row>> {
    let folder = home.join("files");
    fresh(&folder)?;
    for file in 0..FILES {
        fs::write(folder.join(format!("{file}.csv")), format!("name,sku,description\nName {},p{file},\n", file % 50))?;
    }
    let served = Served::serve(home, "files", Vec::new(), SETTLE)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for number in 0..=pairs {
        let target = home.join("ours");
        fresh(&target)?;
        let pass = served.pass(&target)?;
        let (usage, counted) = peers.run(Peer::DuckDb, home, &folder)?;
        let counts = Shell::open(&database(&target))?.counts()?;
        ensure!(counts == counted, "we count {counts} and DuckDB counts {counted}: one of us is wrong");
        eprintln!("{} files: ours {}, DuckDB {}", FILES, seconds(pass.master.wall), seconds(usage.wall));
        // The first round only warms up.
        if number > 0 {
            ours.push(pass);
            theirs.push(usage);
        }
    }
    let what = format!("files: {} files of one row, `master --once` into an empty database", thousands(FILES));
    let mut row = Row::of_passes(what, &ours);
    let ratio = Spread::of(
        ours.iter().zip(&theirs).map(|(ours, theirs)| ours.master.wall.as_secs_f64() / theirs.wall.as_secs_f64()),
    );
    row.ratio = ratio.times(Peer::DuckDb.name());
    let of_peer = Row::of_usages("the same by DuckDB, which reads the folder".to_owned(), theirs.into_iter());
    Ok(vec![row.target("<= 3 x DuckDB", ratio.median <= MAX_RATIO), of_peer])
}
