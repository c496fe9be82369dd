//! The lines of an answer about one file, as they arrive. Who may take how much memory, and who is too slow, is decided here; what the
//! lines mean is not.

use std::time::Duration;

use anyhow::anyhow;
use bytes::BytesMut;
use futures_util::StreamExt;
use memchr::memchr;
use tributary_budget::Share;
use tributary_pace::{Pace, TooSlow};

use super::FetchError;

/// Bytes of a line of the answer. The longest lists the rejects of a partial.
const MAX_LINE_BYTES: usize = 16 << 20;
/// Bytes of a line that are free. The longer ones of all sources share a memory.
pub(super) const FREE_LINE_BYTES: usize = 64 << 10;
/// Times that a long line is in memory at most: in a buffer that has doubled, as texts, and as it is stored.
const LINE_COPIES: u64 = 4;
/// Times that an honest source may read a file for one partial, at most: four readings of numbers, each of up to four passes.
const MAX_PASSES: u64 = 16;

/// Progress of the file that a source reads, as far as it is believed.
pub(super) struct FileProgress {
    /// Bytes of it, as the last line said.
    at: u64,
    /// Bytes that are believed yet.
    left: u64,
}

impl FileProgress {
    /// That of a file of so many bytes, of which nothing was read.
    pub(super) fn of(size: u64) -> Self {
        Self { at: 0, left: MAX_PASSES * size }
    }

    /// The bytes that were read since the last line. More than the file has, read as often as may be, are not believed.
    pub(super) fn advance(&mut self, bytes: u64) -> u64 {
        // Another pass begins at the file's begin.
        let read = bytes.checked_sub(self.at).unwrap_or(bytes).min(self.left);
        self.at = bytes;
        self.left -= read;
        read
    }
}

/// The pieces of a body.
pub(super) trait Chunks: futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + Unpin {}

impl<S: futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + Unpin> Chunks for S {}

/// The lines of a body as they arrive. A line of progress is no progress by itself: what was read of the file is, and the other lines are.
pub(super) struct BodyLines<S> {
    /// The route that answers, for errors.
    route: &'static str,
    chunks: S,
    /// The part of the next lines that has arrived.
    buffer: BytesMut,
    pace: Pace,
    pub(super) progress: FileProgress,
    /// The part of the memory for long lines that the line takes which was returned last, or arrives.
    share: Share,
}

pub(super) fn no_room(route: &str) -> FetchError {
    FetchError::Failed(anyhow!(
        "{route} sends a longer line than there is room for beside the lines of other sources; it is asked again"
    ))
}

fn too_slow(route: &str, slow: TooSlow) -> FetchError {
    FetchError::Stalled(format!("{route} is too slow: {slow}"))
}

impl<S: Chunks> BodyLines<S> {
    pub(super) fn new(route: &'static str, chunks: S, pace: Pace, progress: FileProgress, share: Share) -> Self {
        Self { route, chunks, buffer: BytesMut::new(), pace, progress, share }
    }

    /// Notes that so much came of what was waited for.
    pub(super) fn credit(&mut self, bytes: u64) -> Result<(), FetchError> {
        self.pace.moved(Duration::ZERO, bytes).map_err(|slow| too_slow(self.route, slow))
    }

    /// Gives back what the line before took.
    fn begin_line(&mut self) {
        if self.share.bytes() > 0 {
            self.buffer = BytesMut::from(&self.buffer[..]);
            self.share.clear();
        }
    }

    /// Takes from the shared memory what the line needs so far.
    fn make_room(&mut self) -> Result<(), FetchError> {
        let needed = LINE_COPIES * self.buffer.len().saturating_sub(FREE_LINE_BYTES) as u64;
        match self.share.grow(needed.saturating_sub(self.share.bytes())) {
            true => Ok(()),
            false => Err(no_room(self.route)),
        }
    }

    /// The next line. It counts until the one behind it is asked for.
    pub(super) async fn next_line(&mut self) -> Result<BytesMut, FetchError> {
        self.begin_line();
        let mut searched = 0;
        loop {
            if let Some(at) = memchr(b'\n', &self.buffer[searched..]) {
                return Ok(self.buffer.split_to(searched + at + 1));
            }
            searched = self.buffer.len();
            if searched > MAX_LINE_BYTES {
                let reason = format!("{} sends a line of more than {MAX_LINE_BYTES} bytes", self.route);
                return Err(FetchError::Failed(anyhow!(reason)));
            }
            // The end is no reason to let the source go.
            let is_over = |chunk: &Option<_>| if matches!(chunk, Some(Ok(_))) { 0 } else { u64::MAX / 2 };
            match self.pace.wait(self.chunks.next(), is_over).await.map_err(|slow| too_slow(self.route, slow))? {
                Some(Ok(chunk)) => {
                    self.buffer.extend_from_slice(&chunk);
                    self.make_room()?;
                }
                Some(Err(error)) if error.is_timeout() => {
                    return Err(FetchError::Stalled(format!("{} stalled", self.route)));
                }
                Some(Err(error)) => {
                    tracing::debug!("{} was cut off: {:#}", self.route, anyhow!(error));
                    return Err(FetchError::Changed(format!("{} was cut off", self.route)));
                }
                None => return Err(FetchError::Changed(format!("{} ended before its last line", self.route))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::stream;
    use tributary_protocol::AggregateLine;

    use super::*;
    use crate::source::AnswerMemory;

    const SECOND: Duration = Duration::from_secs(1);

    /// The lines that are taken of a source which says every second what `bytes` makes of the time, at most a thousand times.
    async fn taken(size: u64, bytes: fn(u64) -> u64) -> u64 {
        let chunks = stream::unfold(0, move |second| async move {
            tokio::time::sleep(SECOND).await;
            let line = AggregateLine::Progress { bytes: bytes(second), rows: second };
            let line = [serde_json::to_vec(&line).unwrap(), b"\n".to_vec()].concat();
            Some((Ok(Bytes::from(line)), second + 1))
        });
        let progress = FileProgress::of(size);
        let share = AnswerMemory::new(0).line();
        let mut body = BodyLines::new("/aggregate", chunks.take(1000).boxed(), Pace::new(30 * SECOND), progress, share);
        for lines in 0.. {
            let Ok(line) = body.next_line().await else { return lines };
            let AggregateLine::Progress { bytes, .. } = serde_json::from_slice(&line).unwrap() else { return lines };
            let read = body.progress.advance(bytes);
            if body.credit(read).is_err() {
                return lines;
            }
        }
        unreachable!("the body ends")
    }

    #[tokio::test(start_paused = true)]
    async fn progress_is_what_is_read_and_not_what_is_said() {
        const MIB: u64 = 1 << 20;
        assert_eq!(taken(1000 * MIB, |second| second * MIB).await, 1000, "a source that reads on");
        assert_eq!(taken(100 * MIB, |second| second % 100 * MIB).await, 1000, "one that reads again");
        assert!(taken(MIB, |_| 0).await <= 60);
        assert!(taken(MIB, |_| MIB).await <= 60, "it says the same again and again");
        assert!(taken(MIB, |second| second * 100).await <= 60, "it drips");
        assert!(taken(1000, |second| second * MIB).await <= 90, "no file is longer than it is");
        assert!(taken(1000, |second| second % 2 * 1000).await <= 90, "nor read as often as one likes");
    }

    /// Forty sources with lines of 16 MiB used to take a gigabyte.
    #[tokio::test]
    async fn long_lines_of_all_sources_share_a_memory() {
        let memory = AnswerMemory::new(0);
        let lines = |length: usize| {
            let mut line = vec![b'x'; length];
            line.push(b'\n');
            let pieces: Vec<_> = [line.clone(), line].concat().chunks(64 << 10).map(Bytes::copy_from_slice).collect();
            let progress = FileProgress { at: 0, left: 0 };
            let chunks = stream::iter(pieces.into_iter().map(Ok)).boxed();
            BodyLines::new("/aggregate", chunks, Pace::new(30 * SECOND), progress, memory.line())
        };
        let (mut one, mut other, mut short) = (lines(10 << 20), lines(10 << 20), lines(1_000));
        assert_eq!(one.next_line().await.unwrap().len(), (10 << 20) + 1);
        let Err(FetchError::Failed(error)) = other.next_line().await else { panic!("there is no room") };
        assert!(error.to_string().contains("beside the lines of other sources"), "{error}");
        assert_eq!(short.next_line().await.unwrap().len(), 1_001);
        drop(other);
        assert_eq!(one.next_line().await.unwrap().len(), (10 << 20) + 1);
        drop(one);
        assert_eq!(lines(15 << 20).next_line().await.unwrap().len(), (15 << 20) + 1);
    }
}
