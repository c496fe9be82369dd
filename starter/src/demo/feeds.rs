//! The folders of the demo: two feeds that overlap, dated rows for reports, and the list of an outlet.

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::Path,
    time::Instant,
};

use anyhow::{Context, Result, anyhow, ensure};
use tokio_util::sync::CancellationToken;
use tributary_csv_gate::write_texts;
use tributary_generate::{
    Sales, Shape, Transactions,
    products::{self, OwnColumns, Products},
};

use super::print_line;

/// Names of the two feeds, and half-feeds before their first product: south's first half is north's second half.
pub(super) const FEEDS: [(&str, u64); 2] = [("north", 0), ("south", 1)];
/// Name of the source whose list shrinks.
pub(super) const OUTLET: &str = "outlet";
/// Products of its whole list, and of the short one: few enough to be held.
pub(super) const OUTLET_ROWS: [u64; 2] = [300, 40];
/// Rows of each file of dated rows.
const DATED_ROWS: u64 = 2_000;
/// The columns of the demo's products beside those that every catalog has.
const COLUMNS: &str = "price,stock,brand";
/// Marks a folder that a demo created, so that no other folder is written to.
const MARKER: &str = ".tributary-demo";

/// Claims the folder for the demo. It must be new, empty, or from an earlier demo.
pub(super) fn claim(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("failed to create {}", folder.display()))?;
    let marker = folder.join(MARKER);
    let is_empty =
        fs::read_dir(folder).with_context(|| format!("failed to list {}", folder.display()))?.next().is_none();
    ensure!(
        is_empty || marker.exists(),
        "{} contains other files, which the demo could overwrite; choose an empty folder",
        folder.display()
    );
    fs::write(&marker, "").with_context(|| format!("failed to write {}", marker.display()))
}

/// Writes all files. The same number of rows gives the same bytes, which a database of an earlier demo already has. Stops between two
/// writes if it is to stop.
pub(super) fn write_all(folder: &Path, rows: u64, stop: &CancellationToken) -> Result<()> {
    for (source, half) in FEEDS {
        let columns: OwnColumns = COLUMNS.parse().map_err(|why| anyhow!("{why}"))?;
        let feed = Products::new(rows, half * rows / 2, half + 1).with_columns(&columns);
        let path = folder.join(source).join("products.csv");
        let started = Instant::now();
        if !generate(&path, feed, rows, stop)? {
            return Ok(());
        }
        let (size, took) = (fs::metadata(&path)?.len() as f64 / 1e6, started.elapsed().as_secs_f64());
        print_line(&format!("Wrote {} with {rows} rows, {size:.1} MB, in {took:.1} s", path.display()));
    }
    let north = folder.join("north");
    let _ = generate(&north.join("sales/2023-2025.csv"), Sales::new(12, 1), DATED_ROWS, stop)?
        && generate(&north.join("orders/2023-2025.csv"), Transactions::new(40, 1), DATED_ROWS, stop)?;
    write_outlet(folder, OUTLET_ROWS[0])
}

/// Writes the list of the outlet with this many good rows. A row of it has no sku, so that there is a reject to see.
pub(super) fn write_outlet(folder: &Path, rows: u64) -> Result<()> {
    let mut text = Vec::new();
    write_texts(&mut text, ["sku", "name", "description", "price"]);
    write_texts(&mut text, ["", "Lamp", "somebody forgot the sku", "9.90"]);
    for place in 0..rows {
        let (sku, price) = (format!("outlet-{place}"), format!("{}.90", 1 + place % 40));
        write_texts(&mut text, [sku, products::name(place), "last season".to_owned(), price]);
    }
    replace(&folder.join(OUTLET).join("list.csv"), &text)
}

/// Replaces a file as a whole, so that nobody sees half of it.
pub(super) fn replace(path: &Path, text: &[u8]) -> Result<()> {
    create_folder_of(path)?;
    let unfinished = tributary_formats::unfinished(path);
    fs::write(&unfinished, text)
        .and_then(|()| fs::rename(&unfinished, path))
        .with_context(|| format!("failed to write {}", path.display()))
}

/// Writes a generated file. Returns false, and leaves no part of it, if the demo is to stop.
fn generate(path: &Path, mut shape: impl Shape, rows: u64, stop: &CancellationToken) -> Result<bool> {
    create_folder_of(path)?;
    let part = tributary_formats::unfinished(path);
    let file = fs::File::create(&part).with_context(|| format!("failed to write {}", part.display()))?;
    let mut out = BufWriter::with_capacity(1 << 20, StoppableFile { file, stop });
    let written = tributary_generate::write(&mut shape, rows, &mut out, |_, _| {}).and_then(|()| out.flush());
    if stop.is_cancelled() {
        return fs::remove_file(&part).context("failed to delete an incomplete feed").map(|()| false);
    }
    written.and_then(|()| fs::rename(&part, path)).with_context(|| format!("failed to write {}", path.display()))?;
    Ok(true)
}

fn create_folder_of(path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).with_context(|| format!("failed to create {}", folder.display()))
}

/// A file whose writes fail once the demo is to stop.
struct StoppableFile<'a> {
    file: fs::File,
    stop: &'a CancellationToken,
}

impl Write for StoppableFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.stop.is_cancelled() { Err(io::Error::other("stopped")) } else { self.file.write(bytes) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
