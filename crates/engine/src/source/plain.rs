//! `POST /plain` and `POST /capabilities`: asks a source whether any CSV reader reads one of its files alike, and opens exactly that content for
//! other programs.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use reqwest::Method;
use tokio::runtime::Handle;
use tributary_http_client::{expect_success, read_json};
use tributary_protocol::{AskPlain, Capability, CapabilityRequest, FormatSpec, ManifestEntry, PlainFile, PlainLine};

use super::{FetchError, client::SourceClient};

const ROUTE: &str = "/plain";
/// Time limit for making or revoking a capability.
const CAPABILITY_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_CAPABILITY_BYTES: usize = 16 << 10;
/// Longest time for which a source opens files.
const MAX_OPEN_TIME: Duration = Duration::from_secs(24 * 3600);

/// The answer of a source about a file.
pub(crate) enum IsPlain {
    Yes(PlainFile),
    /// Readers may disagree about it, for this reason.
    No(String),
    /// It does not know this question.
    Unknown,
}

impl SourceClient {
    /// Asks whether any CSV reader reads exactly the content that the manifest lists as the source reads it in this format. `read_on` is
    /// called with the bytes that the source says to have read since it was called last.
    pub(crate) async fn is_plain(
        &self,
        (entry, format): (&ManifestEntry, &FormatSpec),
        read_on: impl Fn(u64),
    ) -> Result<IsPlain, FetchError> {
        let asked = AskPlain {
            path: entry.path.clone(),
            hash: entry.hash.clone(),
            format: tributary_report::partial_format(),
            settings: (*format != FormatSpec::default()).then(|| format.clone()),
        };
        let Some(mut body) = self.ask(("plain", ROUTE), &asked, entry).await? else { return Ok(IsPlain::Unknown) };
        loop {
            let line = body.next_line().await?;
            match serde_json::from_slice(&line).context("/plain does not answer as a source does")? {
                PlainLine::Progress { bytes } => {
                    let read = body.progress.advance(bytes);
                    body.credit(read)?;
                    read_on(read);
                }
                PlainLine::Plain(file) => return Ok(IsPlain::Yes(file)),
                PlainLine::NotPlain { reason } => return Ok(IsPlain::No(reason)),
                PlainLine::Changed => return Err(FetchError::Changed("the file changed while it was read".to_owned())),
                PlainLine::Failed { detail } => return Err(FetchError::Failed(anyhow!(detail))),
            }
        }
    }

    /// Opens files for programs that send no token, at most for so long.
    ///
    /// # Errors
    /// The source cannot do that, or does not answer.
    pub(crate) async fn open_files(&self, paths: Vec<String>, valid: Duration) -> Result<OpenedFiles, FetchError> {
        let valid = valid.min(MAX_OPEN_TIME).as_secs().max(1);
        let asked = CapabilityRequest { paths: Some(paths), valid: Some(format!("{valid}s")) };
        let request = self.post("capabilities").timeout(CAPABILITY_TIMEOUT).json(&asked);
        match expect_success(request.send().await).await {
            Ok(response) => {
                let capability =
                    read_json(response, MAX_CAPABILITY_BYTES, "a source").await.map_err(anyhow::Error::from)?;
                Ok(OpenedFiles { client: self.clone(), capability })
            }
            Err(error) if error.is_unanswered() => Err(FetchError::Stalled(error.to_string())),
            Err(error) => Err(FetchError::Failed(error.into())),
        }
    }
}

/// Files of a source that are open for other programs, until this is dropped.
pub(crate) struct OpenedFiles {
    client: SourceClient,
    capability: Capability,
}

impl OpenedFiles {
    /// The URL of a file as long as it has the content that the manifest lists.
    pub(crate) fn url(&self, entry: &ManifestEntry) -> String {
        let base = self.client.base().as_str().trim_end_matches('/');
        format!("{base}{}", self.capability.pinned(&entry.path, &entry.hash))
    }
}

/// Leaves secrets of paths out of the words of other programs, which are stored and shown.
pub(crate) fn without_secrets(text: &str) -> String {
    const BEGIN: &str = "/read/~";
    let mut pieces = text.split(BEGIN);
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |all, piece| {
        let is_secret = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
        all + BEGIN + "…" + piece.trim_start_matches(is_secret)
    })
}

impl Drop for OpenedFiles {
    /// Closes them beside whatever comes next. If that fails, they are closed by time.
    fn drop(&mut self) {
        let Ok(runtime) = Handle::try_current() else { return };
        let request = self.client.method(Method::DELETE, &format!("capabilities/{}", self.capability.token));
        runtime.spawn(async move {
            if let Err(error) = expect_success(request.timeout(CAPABILITY_TIMEOUT).send().await).await {
                tracing::debug!("files of a source stay open until their time is over: {error}");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_left_out() {
        let check = |text: &str, expect: &str| assert_eq!(without_secrets(text), expect);
        check("HEAD http://a/read/~aB-_9/~blake3:0f/a.csv failed", "HEAD http://a/read/~…/~blake3:0f/a.csv failed");
        check("/read/~one/x and /read/~two", "/read/~…/x and /read/~…");
        check("nothing of that kind", "nothing of that kind");
    }
}
