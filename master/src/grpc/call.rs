//! A call: what is known of it beside its messages, and how one that answers with a stream runs and ends.

use std::time::Duration;

use futures_util::{StreamExt, stream, stream::BoxStream};
use tokio::{sync::mpsc, time::timeout};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Status};
use tributary_admission::Caller;

use super::{body::Arrival, guard::Revoked};

/// Messages that wait for the client.
const MAX_QUEUED: usize = 4;

/// Facts of a call beside its messages.
pub(super) struct Call {
    /// The name of the token.
    pub(super) sender: Option<String>,
    /// Cancelled once the token is no longer in force.
    pub(super) revoked: CancellationToken,
    pub(super) arrival: Arrival,
}

impl Call {
    pub(super) fn of<T>(request: &Request<T>) -> Self {
        let extensions = request.extensions();
        Self {
            sender: extensions.get::<Caller>().and_then(|caller| caller.name.as_ref().map(ToString::to_string)),
            revoked: extensions.get::<Revoked>().map(|revoked| revoked.0.clone()).unwrap_or_default(),
            arrival: extensions.get::<Arrival>().cloned().expect("the guard puts it there"),
        }
    }
}

/// Takes the messages of an answer, for a client that takes each of them in time.
#[derive(Clone)]
pub(super) struct Answers<M> {
    messages: mpsc::Sender<Result<M, Status>>,
    patience: Duration,
}

impl<M> Answers<M> {
    /// Sends a message of progress. Who does not take it yet gets later ones.
    pub(super) fn try_send(&self, message: M) {
        let _ = self.messages.try_send(Ok(message));
    }

    /// Sends what must not be left out.
    pub(super) async fn send(&self, message: M) -> Result<(), Status> {
        match timeout(2 * self.patience, self.messages.send(Ok(message))).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Status::deadline_exceeded("the client does not take the answer")),
        }
    }

    /// Whether the client has gone.
    pub(super) fn is_closed(&self) -> bool {
        self.messages.is_closed()
    }
}

/// Runs a call in a task of its own, and returns its answer. It ends early if the client goes, the token is no longer in force, or the
/// master stops.
pub(super) fn answered<M: Send + 'static, R: Future<Output = Result<(), Status>> + Send>(
    patience: Duration,
    [revoked, shutdown]: [CancellationToken; 2],
    run: impl FnOnce(Answers<M>) -> R + Send + 'static,
) -> BoxStream<'static, Result<M, Status>> {
    let (messages, mut receiver) = mpsc::channel(MAX_QUEUED);
    tokio::spawn(async move {
        let ended = tokio::select! {
            ended = run(Answers { messages: messages.clone(), patience }) => ended,
            () = messages.closed() => return,
            () = shutdown.cancelled() => Err(Status::unavailable("the master stops; try again in a moment")),
            () = revoked.cancelled() => Err(Status::unauthenticated("the token is no longer in force")),
        };
        if let Err(status) = ended {
            tracing::debug!("a call of gRPC ended without a result: {}", status.message());
            let _ = messages.send(Err(status)).await;
        }
    });
    stream::poll_fn(move |cx| receiver.poll_recv(cx)).boxed()
}
