//! `cargo xtask bench face`: the pages as people have them open. Server times with a large catalog, bytes, and the time until a change shows.
//! A missed target is shown, but does not fail the run.

mod browser;
mod bytes;
mod catalog;
mod change;
mod clients;
mod files;
mod lines;
mod pages;
mod sheet;
mod streamlit;

use std::time::Instant;

use anyhow::{Result, ensure};

use self::{catalog::Catalog, lines::Line, sheet::Sheet, streamlit::Streamlit};
use super::{
    options::{Place, chosen},
    python::version,
};
use crate::services::node;

/// The section of BENCHMARKS.md.
const SECTION: &str = "face";

#[derive(clap::Args)]
pub(super) struct Args {
    /// Products of the large catalog, about; the temporary folder grows to some 1 KB for each
    #[arg(long, default_value_t = 5_000_000, value_parser = clap::value_parser!(u64).range(20_000..=10_000_000))]
    products: u64,
    /// Data-sources of the large catalog, some 10 MiB of memory each
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(2..=500))]
    sources: u64,
    /// Requests for each page
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    requests: u64,
    /// Timed changes for one open page, and as many for all clients
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=100))]
    changes: u64,
    /// Open pages, and as many Socket.IO clients; an even number
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(2..=500))]
    clients: u64,
    /// Measure these tables only, such as `pages,change`
    #[arg(long, value_enum, value_delimiter = ',', num_args = 1..)]
    only: Vec<Line>,
    /// First install Streamlit with pip and the client of Socket.IO with npm, below `target`
    #[arg(long)]
    install: bool,
    #[command(flatten)]
    place: Place,
}

pub(super) fn run(args: &Args) -> Result<()> {
    ensure!(args.clients.is_multiple_of(2), "give an even number of clients: two processes share them");
    args.place.check(SECTION)?;
    let begun = Instant::now();
    let chosen = chosen(&args.only);
    let mut versions = Vec::new();
    // Before anything takes time: these fail if something is missing.
    let streamlit = chosen.contains(&Line::Bytes).then(|| Streamlit::find(args.install)).transpose()?;
    if streamlit.is_some() {
        versions.extend([browser::version()?, streamlit::VERSION.to_owned()]);
    }
    let modules = chosen.contains(&Line::Change).then(|| node::modules(args.install)).transpose()?;
    if modules.is_some() {
        let node = version(std::process::Command::new("node").arg("--version")).unwrap_or_default();
        versions.push(format!("Node {node} with socket.io-client {}", node::SOCKET_IO_CLIENT));
    }
    let home = args.place.prepare()?;
    let mut sheet = Sheet::default();
    if chosen.iter().any(|line| Line::OF_CATALOG.contains(line)) {
        let catalog = Catalog::start(home.path(), args.products, args.sources)?;
        if chosen.contains(&Line::Pages) {
            pages::measure(&catalog, args.requests, &mut sheet)?;
        }
        if let Some(streamlit) = &streamlit {
            bytes::measure(home.path(), &catalog.master.url, streamlit, &mut sheet)?;
        }
    }
    if let Some(modules) = &modules {
        change::measure(home.path(), modules, args, &mut sheet)?;
    }
    eprintln!("took {} s in all", begun.elapsed().as_secs());
    args.place.write(SECTION, sheet.markdown(), &versions)
}
