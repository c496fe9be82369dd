//! `POST /aggregate`: asks a source for the partial of one of its files. It does not know what the groups mean.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use bytes::BytesMut;
use futures_util::StreamExt;
use memchr::memchr;
use reqwest::{StatusCode, header::CONTENT_TYPE};
use tributary_budget::Share;
use tributary_config::ReportConfig;
use tributary_csv_gate::FileReject;
use tributary_http_client::{Error, LOOK_BETWEEN};
use tributary_pace::{Pace, TooSlow};
use tributary_protocol::{
    Aggregate, AggregateLine, BodyDigest, CONTENT_DIGEST, FormatSpec, ManifestEntry, PartialHead,
};
use tributary_report::{IncomingError, IncomingPartial, ReportPlan};

use super::{
    FetchError, GroupLines,
    client::{SourceClient, answer},
};

/// Bytes of a line of the answer. The longest lists the rejects of a partial.
const MAX_LINE_BYTES: usize = 16 << 20;

/// Bytes of a line that are free. The longer ones of all sources share a memory.
const FREE_LINE_BYTES: usize = 64 << 10;
/// Times that a long line is in memory at most: in a buffer that has doubled, as texts, and as it is stored.
const LINE_COPIES: u64 = 4;

/// Times that an honest source may read a file for one partial, at most: four readings of numbers, each of up to four passes.
const MAX_PASSES: u64 = 16;

/// The result of a file.
pub(crate) enum Answer {
    /// Its partial and the groups of that.
    Partial(PartialHead, GroupLines),
    /// The file as a whole cannot be used.
    Rejected(FileReject),
}

/// Bytes that an answer takes beside its texts, about.
const ANSWER_BYTES: u64 = 1 << 10;

impl Answer {
    /// Bytes that it takes in memory, about.
    pub(crate) fn held_bytes(&self) -> u64 {
        let texts = match self {
            Self::Partial(head, groups) => reject_bytes(head) + groups.held_bytes(),
            Self::Rejected(reject) => (reject.reason.len() + reject.raw.len()) as u64,
        };
        ANSWER_BYTES + texts
    }

    /// Keeps at most this many rejects; the others are only counted. Returns how many more may be kept.
    pub(crate) fn keep_rejects(&mut self, most: usize) -> usize {
        match self {
            Self::Partial(head, _) => {
                head.rejects.truncate(most);
                most - head.rejects.len()
            }
            Self::Rejected(_) => most,
        }
    }
}

fn reject_bytes(head: &PartialHead) -> u64 {
    head.rejects.iter().map(|reject| (reject.reason.len() + reject.raw.len()) as u64).sum()
}

/// The reply of a source.
pub(crate) enum Answered {
    With(Answer),
    /// It cannot compute partials in this way. The file can still be fetched.
    CannotCompute,
}

impl SourceClient {
    /// Asks for the partial of exactly the content that the manifest lists, read in this format. `lines` creates a buffer for its groups,
    /// and `read_on` is called with the bytes that the source says to have read since it was called last.
    pub(crate) async fn aggregate(
        &self,
        (entry, format): (&ManifestEntry, &FormatSpec),
        report: &ReportConfig,
        lines: impl Fn() -> GroupLines,
        read_on: impl Fn(u64),
    ) -> Result<Answered, FetchError> {
        let asked = Aggregate {
            path: entry.path.clone(),
            hash: entry.hash.clone(),
            format: tributary_report::partial_format(),
            report: report.spec.clone(),
            settings: (*format != FormatSpec::default()).then(|| format.clone()),
        };
        let body = serde_json::to_vec(&asked).context("failed to write a request for a partial")?;
        let request = self.post("aggregate?digest=1").header(CONTENT_DIGEST, BodyDigest::of(&body).header());
        match answer(request.header(CONTENT_TYPE, "application/json").body(body)).await {
            Ok(response) => {
                let progress = FileProgress { at: 0, left: MAX_PASSES * entry.size };
                let memory = &self.http.memory;
                let mut body = BodyLines::new(response.bytes_stream().boxed(), self.pace(), progress, memory.line());
                read(&mut body, memory.line(), (&report.plan, lines()), read_on).await.map(Answered::With)
            }
            Err(error) if is_unsupported(&error) => Ok(Answered::CannotCompute),
            Err(error) if error.status() == Some(StatusCode::PRECONDITION_FAILED) => {
                Err(FetchError::Changed(error.to_string()))
            }
            Err(error) if error.is_unanswered() => Err(FetchError::Stalled(error.to_string())),
            Err(error) => Err(FetchError::Failed(error.into())),
        }
    }
}

/// Whether the source cannot compute partials: a program that does not know this request, or a version that counts
/// differently or understands less.
fn is_unsupported(error: &Error) -> bool {
    matches!(
        error.status(),
        Some(
            StatusCode::BAD_REQUEST
                | StatusCode::NOT_FOUND
                | StatusCode::METHOD_NOT_ALLOWED
                | StatusCode::CONFLICT
                | StatusCode::PAYLOAD_TOO_LARGE
                | StatusCode::UNPROCESSABLE_ENTITY
                | StatusCode::NOT_IMPLEMENTED
        )
    )
}

async fn read<S: Chunks>(
    body: &mut BodyLines<S>,
    mut head_share: Share,
    (plan, mut groups): (&ReportPlan, GroupLines),
    read_on: impl Fn(u64),
) -> Result<Answer, FetchError> {
    let mut partial = None;
    let mut digest = BodyDigest::default();
    // A stored partial is added to totals again and again, so an impossible one is never stored.
    let impossible =
        |error: IncomingError| FetchError::Failed(anyhow!(error).context("/aggregate sends an impossible partial"));
    loop {
        let line = body.next_line().await?;
        let read_line = serde_json::from_slice(&line).context("/aggregate does not answer as a source does")?;
        if !matches!(read_line, AggregateLine::Progress { .. }) {
            body.credit(line.len() as u64)?;
        }
        match read_line {
            AggregateLine::Progress { bytes, .. } => {
                let read = body.progress.advance(bytes);
                body.credit(read)?;
                read_on(read);
            }
            AggregateLine::Partial(_) if partial.is_some() => {
                return Err(FetchError::Failed(anyhow!("/aggregate sends two partials")));
            }
            AggregateLine::Partial(head) => {
                digest.update(&line);
                // Groups may follow for hours.
                let beyond = reject_bytes(&head).saturating_sub(FREE_LINE_BYTES as u64);
                if !head_share.grow(beyond) {
                    return Err(no_room());
                }
                partial = Some(IncomingPartial::new(plan, head).map_err(impossible)?);
            }
            AggregateLine::Group(group) => {
                digest.update(&line);
                partial.as_mut().ok_or_else(no_partial)?.check(&group).map_err(impossible)?;
                groups.push(&group).context("failed to buffer the groups of a partial")?;
            }
            AggregateLine::Digest(announced) if !digest.is(&announced) => {
                let reason = "/aggregate sends a partial whose bytes changed on the way: they do not match its digest";
                return Err(FetchError::Failed(anyhow!("{reason}; {LOOK_BETWEEN}")));
            }
            AggregateLine::Digest(_) => {}
            AggregateLine::End => {
                let head = partial.ok_or_else(no_partial)?.end().map_err(impossible)?;
                return Ok(Answer::Partial(head, groups));
            }
            AggregateLine::Rejected { line, reason, raw } => {
                return Ok(Answer::Rejected(FileReject { line, reason, raw, header: Vec::new() }));
            }
            AggregateLine::Changed => return Err(FetchError::Changed("the file changed while it was read".to_owned())),
            AggregateLine::Failed { detail } => return Err(FetchError::Failed(anyhow!(detail))),
        }
    }
}

fn no_partial() -> anyhow::Error {
    anyhow!("/aggregate sends groups before a partial")
}

/// Progress of the file that a source reads, as far as it is believed.
struct FileProgress {
    /// Bytes of it, as the last line said.
    at: u64,
    /// Bytes that are believed yet.
    left: u64,
}

impl FileProgress {
    /// The bytes that were read since the last line. More than the file has, read as often as may be, are not believed.
    fn advance(&mut self, bytes: u64) -> u64 {
        // Another pass begins at the file's begin.
        let read = bytes.checked_sub(self.at).unwrap_or(bytes).min(self.left);
        self.at = bytes;
        self.left -= read;
        read
    }
}

trait Chunks: futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + Unpin {}

impl<S: futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + Unpin> Chunks for S {}

/// The lines of a body as they arrive. A line of progress is no progress by itself: what was read of the file is, and the other lines are.
struct BodyLines<S> {
    chunks: S,
    /// The part of the next lines that has arrived.
    buffer: BytesMut,
    pace: Pace,
    progress: FileProgress,
    /// The part of the memory for long lines that the line takes which was returned last, or arrives.
    share: Share,
}

fn no_room() -> FetchError {
    FetchError::Failed(anyhow!(
        "/aggregate sends a longer line than there is room for beside the lines of other sources; it is asked again"
    ))
}

fn too_slow(slow: TooSlow) -> FetchError {
    FetchError::Stalled(format!("/aggregate is too slow: {slow}"))
}

impl<S: Chunks> BodyLines<S> {
    fn new(chunks: S, pace: Pace, progress: FileProgress, share: Share) -> Self {
        Self { chunks, buffer: BytesMut::new(), pace, progress, share }
    }

    /// Notes that so much came of what was waited for.
    fn credit(&mut self, bytes: u64) -> Result<(), FetchError> {
        self.pace.moved(Duration::ZERO, bytes).map_err(too_slow)
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
            false => Err(no_room()),
        }
    }

    /// The next line. It counts until the one behind it is asked for.
    async fn next_line(&mut self) -> Result<BytesMut, FetchError> {
        self.begin_line();
        let mut searched = 0;
        loop {
            if let Some(at) = memchr(b'\n', &self.buffer[searched..]) {
                return Ok(self.buffer.split_to(searched + at + 1));
            }
            searched = self.buffer.len();
            if searched > MAX_LINE_BYTES {
                let reason = format!("/aggregate sends a line of more than {MAX_LINE_BYTES} bytes");
                return Err(FetchError::Failed(anyhow!(reason)));
            }
            // The end is no reason to let the source go.
            let is_over = |chunk: &Option<_>| if matches!(chunk, Some(Ok(_))) { 0 } else { u64::MAX / 2 };
            match self.pace.wait(self.chunks.next(), is_over).await.map_err(too_slow)? {
                Some(Ok(chunk)) => {
                    self.buffer.extend_from_slice(&chunk);
                    self.make_room()?;
                }
                Some(Err(error)) if error.is_timeout() => {
                    return Err(FetchError::Stalled("/aggregate stalled".to_owned()));
                }
                Some(Err(error)) => {
                    tracing::debug!("/aggregate was cut off: {:#}", anyhow!(error));
                    return Err(FetchError::Changed("/aggregate was cut off".to_owned()));
                }
                None => return Err(FetchError::Changed("/aggregate ended before its last line".to_owned())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::stream;

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
        let progress = FileProgress { at: 0, left: MAX_PASSES * size };
        let share = AnswerMemory::new(0).line();
        let mut body = BodyLines::new(chunks.take(1000).boxed(), Pace::new(30 * SECOND), progress, share);
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
            BodyLines::new(chunks, Pace::new(30 * SECOND), progress, memory.line())
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
