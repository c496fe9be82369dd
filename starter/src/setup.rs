//! Sets a database up, empties it, and prints its row counts.

use std::io::{self, Write};

use tributary_store::{Counts, DatabaseUrl, Error, Lock, Store};

/// Creates and migrates the database where needed, empties it if `reset`, and counts its rows.
///
/// Only writing takes the lock: while a master runs, `starter` can still print the counts of a database that is set up.
pub(crate) fn set_up(url: &DatabaseUrl, reset: bool) -> Result<Counts, Error> {
    if !reset && !Store::needs_setup(url)? {
        return Store::open_existing(url)?.snapshot(Store::counts);
    }
    let lock = Lock::acquire(url, if reset { "starter --reset" } else { "starter" })?;
    let mut store = lock.open_store()?;
    if reset {
        store.empty()?;
        tracing::info!(database.path = %url, "emptied {url}");
    }
    store.counts()
}

/// Writes the path of the database and a line per table.
pub(crate) fn print(url: &DatabaseUrl, counts: &Counts, out: &mut impl Write) -> io::Result<()> {
    let Counts { products, aggr, sources, files, rejects, edits, shadowed } = counts;
    let lines = [
        ("products", products),
        ("aggr", aggr),
        ("sources", sources),
        ("files", files),
        ("rejects", rejects),
        ("edits", edits),
        ("shadowed", shadowed),
    ];
    writeln!(out, "{url} is set up and holds")?;
    lines.iter().try_for_each(|(table, rows)| writeln!(out, "{table:<8} {rows:>12}"))
}
