//! A feed in two encodings, read with lenient quotes, beside the same feed in one.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Write},
    path::Path,
};

use anyhow::{Context, Result};

use super::stage::{SETTLE, Stage};
use crate::bench::{
    figures::{Spread, thousands},
    running::{Served, fresh},
    table::Row,
};

/// The longest that `master --once` may take, in times of the clean feed.
const MAX_RATIO: f64 = 1.3;

/// Measures the line `mixed`.
pub(super) fn measure(stage: &mut Stage, pairs: usize) -> Result<Vec<Row>> {
    let (home, rows) = (stage.home, stage.rows);
    let clean = stage.one()?;
    let folder = home.join("mixed");
    fresh(&folder)?;
    let original = &clean.feeds[0].path;
    mix(original, &folder.join("feed.csv")).with_context(|| format!("failed to copy {}", original.display()))?;
    let formats = home.join("lenient.toml");
    fs::write(&formats, "[[format]]\nquotes = \"lenient\"\n")?;
    let mixed = Served::serve_with(home, "mixed", Vec::new(), SETTLE, Some(&formats))?;
    let (mut passes, mut ratios) = (Vec::new(), Vec::new());
    for number in 0..=pairs {
        let pass = |served: &Served| {
            let target = home.join("ours");
            fresh(&target)?;
            served.pass(&target)
        };
        let (of_clean, of_mixed) = (pass(clean)?, pass(&mixed)?);
        // The first round only warms up.
        if number > 0 {
            passes.push(of_mixed);
            ratios.push(of_mixed.master.wall.as_secs_f64() / of_clean.master.wall.as_secs_f64());
        }
    }
    let what =
        format!("mixed: {} rows, some in UTF-8 and some in windows-1252, with `quotes = \"lenient\"`", thousands(rows));
    let ratio = Spread::of(ratios);
    let row = Row { ratio: ratio.times("the clean feed"), ..Row::of_passes(what, &passes) };
    Ok(vec![row.target("<= 1.3 x the clean feed", ratio.median <= MAX_RATIO)])
}

/// Copies a generated feed. Every 20th line that ends a row without quotes gets an `é` in UTF-8, and every other 20th one in
/// windows-1252.
fn mix(original: &Path, copy: &Path) -> io::Result<()> {
    let (mut lines, mut out) = (BufReader::new(File::open(original)?), BufWriter::new(File::create(copy)?));
    let (mut line, mut rows) = (Vec::new(), 0);
    while lines.read_until(b'\n', &mut line)? > 0 {
        if line.ends_with(b". \n") {
            rows += 1;
            let letter: &[u8] = match rows % 20 {
                0 => "é".as_bytes(),
                10 => b"\xe9",
                _ => b"",
            };
            line.pop();
            line.extend_from_slice(letter);
            line.push(b'\n');
        }
        out.write_all(&line)?;
        line.clear();
    }
    out.flush()
}
