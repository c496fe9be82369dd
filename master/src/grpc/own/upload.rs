//! `Upload`: a file as a stream, and its states until it has ended.

use std::time::Duration;

use futures_util::{StreamExt, stream, stream::BoxStream};
use tokio::{
    sync::OwnedSemaphorePermit,
    task::JoinHandle,
    time::{Instant, sleep_until},
};
use tonic::{Status, Streaming, codegen::Bytes};
use tributary_engine::{Document, Engine, Inbox, InboxError, Offer, Stage as DocumentStage};
use tributary_grpc::tributary_v1::{Stage, UploadRequest, UploadStart, UploadState, upload_request::Content};
use tributary_pace::Pace;

use super::status;
use crate::grpc::{
    body::{Arrival, check_length},
    call::Call,
};

/// The least time between two states.
const MIN_INTERVAL: Duration = Duration::from_millis(100);

pub(super) async fn upload(
    engine: &Engine,
    mut messages: Streaming<UploadRequest>,
    call: Call,
    (patience, place): (Duration, OwnedSemaphorePermit),
) -> Result<BoxStream<'static, Result<UploadState, Status>>, Status> {
    let first = call.arrival.next(&mut messages, &mut Pace::new(patience)).await?;
    let first = first.and_then(|first| first.content);
    let Some(Content::Start(UploadStart { path, id, replace, size })) = first else {
        return Err(Status::invalid_argument("the first message of an upload must be `start`"));
    };
    let offer = Offer {
        path,
        id: Some(id).filter(|id| !id.is_empty()),
        may_replace: replace,
        size,
        at_least: size.unwrap_or_default(),
        is_listed: true,
        sent_by: call.sender,
        ..Offer::default()
    };
    let inbox = engine.inbox().clone();
    let admitted = inbox.admit(offer).await.map_err(status::upload)?;
    let id = admitted.id().to_owned();
    let body = Body { messages, arrival: call.arrival, pace: Pace::new(patience), size, bytes: 0 };
    // A task of its own, which deletes what came of a file if its client breaks off.
    let received = tokio::spawn(async move {
        let body = stream::unfold(Some(body), |body| async { body?.next().await });
        admitted.receive(std::pin::pin!(body)).await.map(drop)
    });
    let upload = inbox.get(&id).await.map_err(status::failed)?;
    let upload = upload.ok_or_else(|| Status::aborted("the upload was cancelled"))?;
    let follower = Follower { inbox, upload, received: Some(received), told: None, _place: place };
    let stop = engine.shutdown().clone().cancelled_owned();
    let states = stream::unfold(Some(follower), |follower| async { next(follower?).await });
    Ok(states.take_until(stop).take_until(call.revoked.cancelled_owned()).boxed())
}

/// The rest of a stream: the bytes of the file.
struct Body {
    messages: Streaming<UploadRequest>,
    arrival: Arrival,
    pace: Pace,
    size: Option<u64>,
    /// Bytes that came.
    bytes: u64,
}

impl Body {
    /// The next bytes, or why they cannot be taken. None behind the last of them.
    async fn next(mut self) -> Option<(Result<Bytes, String>, Option<Self>)> {
        let wrong = |why: String| Some((Err(why), None));
        match self.arrival.next(&mut self.messages, &mut self.pace).await {
            Ok(Some(UploadRequest { content: Some(Content::Data(data)) })) => {
                self.bytes += data.len() as u64;
                Some((Ok(data), Some(self)))
            }
            Ok(Some(_)) => wrong("a message behind `start` is not `data`".to_owned()),
            Ok(None) => {
                check_length(self.size, self.bytes).map_or_else(|status| wrong(status.message().to_owned()), |()| None)
            }
            Err(status) => wrong(status.message().to_owned()),
        }
    }
}

/// State of a client that sends a file, and follows it.
struct Follower {
    inbox: Inbox,
    /// As it was told last.
    upload: Document,
    /// None once all of the file has come.
    received: Option<JoinHandle<Result<(), InboxError>>>,
    /// When a state was told last.
    told: Option<Instant>,
    _place: OwnedSemaphorePermit,
}

async fn next(mut follower: Follower) -> Option<(Result<UploadState, Status>, Option<Follower>)> {
    loop {
        let Some(told) = follower.told else { return Some(follower.tell()) };
        let Follower { inbox, upload, received, .. } = &mut follower;
        if upload.stage.is_final() && received.is_none() {
            return None;
        }
        let news = async {
            sleep_until(told + MIN_INTERVAL).await;
            inbox.news(upload).await
        };
        let ended = async {
            match received {
                Some(received) => received.await,
                None => std::future::pending().await,
            }
        };
        let failed = tokio::select! {
            biased;
            ended = ended => match ended {
                Ok(Ok(())) => {
                    follower.received = None;
                    continue;
                }
                Ok(Err(error)) => status::upload(error),
                Err(_) => Status::internal("receiving the file broke off"),
            },
            // How a body failed is known better by whoever receives it.
            news = news, if !upload.stage.is_final() => match news {
                Ok(Some(news)) => {
                    let is_told = !news.stage.is_final() || received.is_none();
                    follower.upload = news;
                    if is_told {
                        return Some(follower.tell());
                    }
                    continue;
                }
                Ok(None) => Status::aborted("the upload was cancelled"),
                Err(error) => status::failed(error),
            },
        };
        return Some((Err(failed), None));
    }
}

impl Follower {
    /// Its state, to be told now.
    fn tell(mut self) -> (Result<UploadState, Status>, Option<Self>) {
        self.told = Some(Instant::now());
        (Ok(state(self.upload.clone())), Some(self))
    }
}

fn state(document: Document) -> UploadState {
    let Document { id, path, stage, bytes, total, rows, percent, rejects, error, .. } = document;
    let stage = match stage {
        DocumentStage::Receiving => Stage::Receiving,
        DocumentStage::Queued => Stage::Queued,
        DocumentStage::Processing => Stage::Processing,
        DocumentStage::Complete => Stage::Complete,
        // One whose place another took has failed for its sender.
        DocumentStage::Failed | DocumentStage::Superseded => Stage::Failed,
    };
    UploadState {
        id,
        path,
        stage: stage.into(),
        bytes,
        total,
        rows,
        percent,
        rejects,
        error: error.unwrap_or_default(),
    }
}
