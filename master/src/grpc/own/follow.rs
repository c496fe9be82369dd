//! `Follow`: what happens, as the HTTP API tells it at `/api/v1/events`.

use futures_util::{StreamExt, stream::BoxStream};
use tokio::sync::OwnedSemaphorePermit;
use tonic::Status;
use tributary_engine::{Engine, Followed, Resume, StoredEvent};
use tributary_grpc::tributary_v1::{Event, FollowRequest};

use super::status;
use crate::grpc::call::Call;

pub(super) async fn follow(
    engine: &Engine,
    FollowRequest { after }: FollowRequest,
    call: Call,
    place: OwnedSemaphorePermit,
) -> Result<BoxStream<'static, Result<Event, Status>>, Status> {
    let followed = engine.follow(after.map_or(Resume::Now, Resume::After)).await.map_err(status::failed)?;
    let events = followed.map(move |followed| {
        // Given back when the client goes.
        let _place = &place;
        followed.map(event).map_err(status::failed)
    });
    Ok(events.take_until(call.revoked.cancelled_owned()).boxed())
}

fn event(followed: Followed) -> Event {
    match followed {
        Followed::Start { id, missed } => {
            Event { id, kind: if missed { "reset" } else { "start" }.to_owned(), data: "{}".to_owned() }
        }
        Followed::Event(StoredEvent { id, kind, data, .. }) => Event { id, kind, data },
    }
}
