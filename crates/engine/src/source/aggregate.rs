//! `POST /aggregate`: asks a source for the partial of one of its files. It does not know what the groups mean.

use anyhow::{Context as _, Result, anyhow};
use tributary_budget::Share;
use tributary_config::ReportConfig;
use tributary_csv_gate::FileReject;
use tributary_http_client::LOOK_BETWEEN;
use tributary_protocol::{Aggregate, AggregateLine, BodyDigest, FormatSpec, ManifestEntry, PartialHead};
use tributary_report::{IncomingError, IncomingPartial, ReportPlan};

use super::{
    FetchError, GroupLines,
    body_lines::{BodyLines, Chunks, FREE_LINE_BYTES, no_room},
    client::SourceClient,
};

const ROUTE: &str = "/aggregate";

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
        let Some(mut body) = self.ask(("aggregate?digest=1", ROUTE), &asked, entry).await? else {
            return Ok(Answered::CannotCompute);
        };
        read(&mut body, self.http.memory.line(), (&report.plan, lines()), read_on).await.map(Answered::With)
    }
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
                    return Err(no_room(ROUTE));
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
