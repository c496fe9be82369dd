//! `--watch`: prints the tables again whenever the database has changed. Between two looks no transaction is open, so the writer is
//! never held up.

use std::{
    io::{self, Write},
    time::Duration,
};

use anyhow::{Context, Result};
use chrono::{SecondsFormat, Utc};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio_util::sync::CancellationToken;
use tributary_cli_common::{stop_on_signals, terminal::is_plain};
use tributary_store::Store;

use crate::{cli::Request, print, terminal};

/// Time in which a reader of stdout that went away is noticed, however rarely the database is looked at.
const CLOSED_INTERVAL: Duration = Duration::from_secs(1);

/// Prints until SIGINT, SIGTERM, or the reader of stdout goes away.
///
/// # Errors
/// The database cannot be read, or stdout cannot be written.
pub(crate) fn follow(store: &mut Store, request: &Request, every: Duration) -> Result<()> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("failed to start the runtime")?;
    runtime.block_on(async {
        let stop = stop_on_signals().context("failed to install the signal handlers")?;
        let is_in_place = !is_plain(&io::stdout());
        let (mut seen, mut shown) = (None, Vec::new());
        loop {
            // First the number, then the tables: a change in between is printed at the next look.
            let state = Some((store.data_version()?, terminal()));
            if seen != state {
                let mut text = Vec::new();
                print(store, request, &mut text, terminal().map(|(width, _)| width))?;
                if text != shown || is_in_place {
                    show(&text, every, is_in_place).context("failed to write the output")?;
                }
                (seen, shown) = (state, text);
            }
            if !pause(every, &stop).await {
                return Ok(());
            }
        }
    })
}

/// Waits for the next look. Returns false if there is to be none.
async fn pause(every: Duration, stop: &CancellationToken) -> bool {
    let mut left = every;
    while !left.is_zero() {
        let step = left.min(CLOSED_INTERVAL);
        tokio::select! {
            () = stop.cancelled() => return false,
            () = tokio::time::sleep(step) => {}
        }
        if is_reader_gone() {
            return false;
        }
        left -= step;
    }
    true
}

/// Whether nobody reads stdout any more. A pipe says so only when it is written or asked.
fn is_reader_gone() -> bool {
    let stdout = io::stdout();
    let mut asked = [PollFd::new(&stdout, PollFlags::empty())];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut asked, Some(&at_once)).is_ok() && asked[0].revents().intersects(PollFlags::ERR | PollFlags::HUP)
}

/// Writes the tables below a line with the time: in the place of the last ones, or after them.
fn show(text: &[u8], every: Duration, is_in_place: bool) -> io::Result<()> {
    let now = Utc::now();
    let mut out = io::stdout().lock();
    if !is_in_place {
        writeln!(out, "{}", now.to_rfc3339_opts(SecondsFormat::Secs, true))?;
        out.write_all(text)?;
        out.write_all(b"\n")?;
        return out.flush();
    }
    let head = format!("{} UTC, again at each change, every {every:?} at most; Ctrl-C ends", now.format("%H:%M:%S"));
    let height = terminal().map_or(usize::MAX, |(_, height)| usize::from(height));
    out.write_all(&screen(&head, &String::from_utf8_lossy(text), height))?;
    out.flush()
}

/// Returns what puts the text on a terminal of `height` lines. Lines are replaced one by one, which flickers less than a clear screen.
fn screen(head: &str, text: &str, height: usize) -> Vec<u8> {
    let lines: Vec<&str> = std::iter::once(head).chain(text.lines()).collect();
    // The cursor stands below the last line.
    let room = height.saturating_sub(1).max(2);
    let mut out = b"\x1b[H".to_vec();
    let mut put = |line: &str| {
        out.extend_from_slice(line.as_bytes());
        out.extend_from_slice(b"\x1b[K\n");
    };
    if lines.len() <= room {
        lines.iter().for_each(|line| put(line));
    } else {
        lines[..room - 1].iter().for_each(|line| put(line));
        put(&format!("… and {} lines for which the terminal is not high enough", lines.len() - room + 1));
    }
    out.extend_from_slice(b"\x1b[J");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_is_no_higher_than_the_terminal() {
        let check = |height: usize, expect: &str| {
            let shown = String::from_utf8(screen("head", "a\nb\nc\n", height)).unwrap();
            let lines = shown.strip_prefix("\x1b[H").unwrap().strip_suffix("\x1b[J").unwrap().replace("\x1b[K", "");
            assert_eq!(lines, expect, "{height}");
        };
        check(80, "head\na\nb\nc\n");
        check(5, "head\na\nb\nc\n");
        check(4, "head\na\n… and 2 lines for which the terminal is not high enough\n");
        check(0, "head\n… and 3 lines for which the terminal is not high enough\n");
    }
}
