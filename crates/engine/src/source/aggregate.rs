//! `POST /aggregate`: a source is asked for the partial of one of its files. What its lines mean for a report is not known here.

use anyhow::{Context as _, Result, anyhow};
use bytes::BytesMut;
use futures_util::StreamExt;
use memchr::memchr;
use reqwest::{Response, StatusCode};
use tributary_config::ReportConfig;
use tributary_csv_gate::FileReject;
use tributary_http_client::Error;
use tributary_protocol::{Aggregate, AggregateLine, ManifestEntry, PartialHead};
use tributary_report::{IncomingError, IncomingPartial, ReportPlan};

use super::{
    FetchError, Lines, causes,
    client::{SourceClient, answer},
};

/// Longest line of an answer in bytes: what a partial says of its rejects is the longest.
const LINE: usize = 16 << 20;

/// What came of a file.
pub(crate) enum Answer {
    /// Its partial: what it says, and its groups.
    Partial(PartialHead, Lines),
    /// The file as a whole cannot be used.
    Rejected(FileReject),
}

/// What a source says to the question.
pub(crate) enum Answered {
    /// This.
    With(Answer),
    /// It cannot compute it, or not as it is wanted: its files can be read, though.
    CannotCompute,
}

impl SourceClient {
    /// The partial of exactly the content that the manifest lists; `lines` makes a place for its groups.
    pub(crate) async fn aggregate(
        &self,
        entry: &ManifestEntry,
        report: &ReportConfig,
        lines: impl Fn() -> Lines,
    ) -> Result<Answered, FetchError> {
        let asked = Aggregate {
            path: entry.path.clone(),
            hash: entry.hash.clone(),
            format: tributary_report::partial_format(),
            report: report.spec.clone(),
        };
        match answer(self.post("aggregate").json(&asked)).await {
            Ok(response) => read(response, &report.plan, lines()).await.map(Answered::With),
            Err(error) if is_unsupported(&error) => Ok(Answered::CannotCompute),
            Err(error) if error.status() == Some(StatusCode::PRECONDITION_FAILED) => {
                Err(FetchError::RanAway(error.to_string()))
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

async fn read(response: Response, plan: &ReportPlan, mut groups: Lines) -> Result<Answer, FetchError> {
    let mut body = Body { chunks: response.bytes_stream().boxed(), begun: BytesMut::new() };
    let mut partial = None;
    // What is stored is added to totals again and again, so nothing is taken that could not be.
    let not_believed =
        |error: IncomingError| FetchError::Failed(anyhow!(error).context("/aggregate cannot be believed"));
    loop {
        let line = body.next_line().await?;
        match serde_json::from_slice(&line).context("/aggregate does not answer as a source does")? {
            AggregateLine::Progress { .. } => {}
            AggregateLine::Partial(_) if partial.is_some() => {
                return Err(FetchError::Failed(anyhow!("/aggregate gives two partials")));
            }
            AggregateLine::Partial(head) => partial = Some(IncomingPartial::new(plan, head).map_err(not_believed)?),
            AggregateLine::Group(group) => {
                partial.as_mut().ok_or_else(of_nothing)?.check(&group).map_err(not_believed)?;
                groups.push(&group).context("failed to keep the groups of a report")?;
            }
            AggregateLine::End => {
                let head = partial.ok_or_else(of_nothing)?.end().map_err(not_believed)?;
                return Ok(Answer::Partial(head, groups));
            }
            AggregateLine::Rejected { line, reason, raw } => {
                return Ok(Answer::Rejected(FileReject { line, reason, raw }));
            }
            AggregateLine::Changed => return Err(FetchError::RanAway("the file changed while it was read".to_owned())),
            AggregateLine::Failed { detail } => return Err(FetchError::Failed(anyhow!(detail))),
        }
    }
}

fn of_nothing() -> anyhow::Error {
    anyhow!("/aggregate gives groups of no partial")
}

/// The lines of a body as they come.
struct Body<S> {
    chunks: S,
    begun: BytesMut,
}

impl<S: futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + Unpin> Body<S> {
    async fn next_line(&mut self) -> Result<BytesMut, FetchError> {
        let mut looked_at = 0;
        loop {
            if let Some(at) = memchr(b'\n', &self.begun[looked_at..]) {
                return Ok(self.begun.split_to(looked_at + at + 1));
            }
            looked_at = self.begun.len();
            if looked_at > LINE {
                return Err(FetchError::Failed(anyhow!("/aggregate answers with a line of more than {LINE} bytes")));
            }
            match self.chunks.next().await {
                Some(Ok(chunk)) => self.begun.extend_from_slice(&chunk),
                Some(Err(error)) if error.is_timeout() => {
                    return Err(FetchError::Stalled(format!("/aggregate stood still: {}", causes(&error))));
                }
                Some(Err(error)) => {
                    return Err(FetchError::RanAway(format!("/aggregate was cut off: {}", causes(&error))));
                }
                None => return Err(FetchError::RanAway("/aggregate ended in its middle".to_owned())),
            }
        }
    }
}
