//! The file of a stream as an upload: its bytes go to the inbox while they are added up.

use std::{pin::pin, time::Duration};

use futures_util::stream;
use tokio::{sync::mpsc, task::JoinHandle, time::sleep};
use tonic::codegen::Bytes;
use tributary_engine::{Admitted, Inbox, InboxError, Offer};

/// Folder of such uploads.
const FOLDER: &str = "sales";
/// Questions for a place among the uploads, and the time between two of them: others give theirs back.
const ATTEMPTS: u32 = 60;
const RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// A file that is being kept.
pub(super) struct Keep {
    path: String,
    /// None stands behind the last bytes. Without it the file broke off.
    pieces: mpsc::Sender<Option<Bytes>>,
    received: JoinHandle<Result<(), InboxError>>,
}

impl Keep {
    /// Begins to keep the file whose totals are in `result`; None if it cannot be kept, which the log says.
    pub(super) async fn begin(inbox: &Inbox, result: &str, sent_by: Option<String>) -> Option<Self> {
        let path = format!("{FOLDER}/{result}");
        let admitted = match admit(inbox, &path, sent_by).await {
            Ok(admitted) => admitted,
            Err(error) => return not_kept(&path, &error),
        };
        let (pieces, received) = mpsc::channel(1);
        let body = stream::unfold(received, |mut received: mpsc::Receiver<Option<Bytes>>| async {
            match received.recv().await {
                Some(Some(bytes)) => Some((Ok(bytes), received)),
                Some(None) => None,
                None => Some((Err("the stream broke off"), received)),
            }
        });
        let received = tokio::spawn(async move { admitted.receive(pin!(body)).await.map(drop) });
        Some(Self { path, pieces, received })
    }

    /// Keeps the next bytes; None once the file cannot be kept.
    pub(super) async fn push(self, bytes: Bytes) -> Option<Self> {
        match self.pieces.send(Some(bytes)).await {
            Ok(()) => Some(self),
            Err(_) => {
                self.end().await;
                None
            }
        }
    }

    /// Waits until the whole file is stored.
    pub(super) async fn finish(self) {
        // It hears of a receiver that has ended below.
        let _ = self.pieces.send(None).await;
        self.end().await;
    }

    async fn end(self) {
        let Self { path, pieces, received } = self;
        drop(pieces);
        if let Ok(Err(error)) = received.await {
            let _: Option<Self> = not_kept(&path, &error);
        }
    }
}

async fn admit(inbox: &Inbox, path: &str, sent_by: Option<String>) -> Result<Admitted, InboxError> {
    let offer = || Offer { path: path.to_owned(), is_listed: true, sent_by: sent_by.clone(), ..Offer::default() };
    for _ in 1..ATTEMPTS {
        match inbox.admit(offer()).await {
            Err(InboxError::TooMany { .. }) => sleep(RETRY_INTERVAL).await,
            admitted => return admitted,
        }
    }
    inbox.admit(offer()).await
}

fn not_kept<T>(path: &str, error: &InboxError) -> Option<T> {
    tracing::warn!(file.path = %path, "the file of a stream of sales is not kept as `{path}`: {error}; its totals are written all the same");
    None
}
