//! Admits each call by its head, as the HTTP entrance admits a request, and asks for the role that its method needs.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tonic::{
    Status,
    body::Body,
    codegen::http::{
        Request, Response,
        header::{AUTHORIZATION, HOST, HeaderName, ORIGIN},
    },
};
use tower_layer::Layer;
use tower_service::Service;
use tributary_admission::{Admission, Caller, Denied, RequestFacts, Role};

use super::{
    body::{Arrival, Watched},
    incoming::Ends,
    pieces::{FREE_BYTES, Messages},
    room::Room,
};

/// Calls whose messages come, or that are worked on.
const MAX_CALLS: usize = 2_000;

/// Roles of methods that do more than read. Those that do not exist are told so to those who may read.
const ROLES: [(&str, Role); 4] =
    [(PROCESS_CSV, Role::Upload), (UPLOAD, Role::Upload), (AGGREGATE, Role::Upload), (EDIT_PRODUCT, Role::Edit)];
const PROCESS_CSV: &str = "/processor.CsvProcessor/ProcessCsv";
const UPLOAD: &str = "/tributary.v1.Tributary/Upload";
const AGGREGATE: &str = "/tributary.v1.Tributary/Aggregate";
const EDIT_PRODUCT: &str = "/tributary.v1.Tributary/EditProduct";
/// The longest message of other methods with long ones.
const MAX_MESSAGE: usize = 4 << 20;
/// Bytes of a file in a message that is passed on, for sales, which are added up while they come, and for files, which are written.
const CSV_PIECE: usize = 256 << 10;
const FILE_PIECE: usize = 64 << 10;
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// The service that needs no token, so that any supervisor can check the server.
const HEALTH: &str = "/grpc.health.v1.Health/";

/// Cancelled once the token of a call is no longer in force. In the extensions of each request.
#[derive(Debug, Clone)]
pub(super) struct Revoked(pub(super) CancellationToken);

/// The guard of all services.
#[derive(Clone)]
pub(super) struct Guard {
    admission: Admission,
    room: Room,
    max_message: usize,
    calls: Arc<Semaphore>,
}

impl Guard {
    /// `max_message` is the longest message of `ProcessCsv`.
    pub(super) fn new(admission: Admission, max_message: usize) -> Self {
        Self { admission, room: Room::default(), max_message, calls: Arc::new(Semaphore::new(MAX_CALLS)) }
    }
}

impl<S> Layer<S> for Guard {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { guard: self.clone(), inner }
    }
}

/// A service behind the guard.
#[derive(Clone)]
pub(super) struct Guarded<S> {
    guard: Guard,
    inner: S,
}

type Answer<E> = Pin<Box<dyn Future<Output = Result<Response<Body>, E>> + Send>>;

impl<S> Service<Request<Body>> for Guarded<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer<Infallible>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The one that was asked whether it is ready.
        let other = self.inner.clone();
        let (guard, mut inner) = (self.guard.clone(), std::mem::replace(&mut self.inner, other));
        Box::pin(async move {
            let peer = request.extensions().get::<Ends>().and_then(|ends| ends.peer).map(|peer| peer.ip());
            let caller = match admit(&guard.admission, &request) {
                Ok(caller) => caller,
                Err(Denied::WrongToken) => return Ok(refusal(&guard.admission.delayed(peer).await).into_http()),
                Err(denied) => return Ok(refusal(&denied).into_http()),
            };
            match guard.calls.clone().try_acquire_owned() {
                Ok(place) => inner.call(guard.watched(request, caller, place)).await,
                Err(_) => Ok(Status::resource_exhausted("too many calls at once; try again later").into_http()),
            }
        })
    }
}

impl Guard {
    /// The messages of a method.
    fn messages(&self, method: &str) -> Messages {
        match method {
            PROCESS_CSV => Messages { data: Some((0x0a, CSV_PIECE)), most: self.max_message },
            UPLOAD | AGGREGATE => Messages { data: Some((0x12, FILE_PIECE)), most: MAX_MESSAGE },
            EDIT_PRODUCT => Messages { data: None, most: MAX_MESSAGE },
            _ => Messages { data: None, most: FREE_BYTES },
        }
    }

    fn watched(&self, request: Request<Body>, caller: Caller, place: OwnedSemaphorePermit) -> Request<Body> {
        let (arrival, messages) = (Arrival::new(place), self.messages(request.uri().path()));
        let (mut parts, body) = request.into_parts();
        let revoked = self.admission.revoked(parts.headers.get(AUTHORIZATION).map(|value| value.as_bytes()));
        parts.extensions.insert(caller);
        parts.extensions.insert(Revoked(revoked));
        parts.extensions.insert(arrival.clone());
        Request::from_parts(parts, Body::new(Watched::new(body, arrival, messages, self.room.clone())))
    }
}

/// Judges a call by its head.
fn admit(admission: &Admission, request: &Request<Body>) -> Result<Caller, Denied> {
    let header = |name: &HeaderName| request.headers().get(name).map(|value| value.as_bytes());
    let path = request.uri().path();
    let repeated = [HOST, ORIGIN, FETCH_SITE, AUTHORIZATION]
        .into_iter()
        .find(|name| request.headers().get_all(name).iter().nth(1).is_some());
    let facts = RequestFacts {
        is_change: true,
        is_navigation: false,
        repeated: repeated.as_ref().map(HeaderName::as_str),
        is_probe: path.starts_with(HEALTH),
        host: request.uri().authority().map(|authority| authority.as_str().as_bytes()).or(header(&HOST)),
        fetch_site: header(&FETCH_SITE),
        origin: header(&ORIGIN),
        authorization: header(&AUTHORIZATION),
        local: request.extensions().get::<Ends>().and_then(|ends| ends.local),
    };
    let role = ROLES.iter().find(|(method, _)| *method == path).map_or(Role::Read, |(_, role)| *role);
    let caller = admission.admit(&facts)?;
    caller.may(role)?;
    Ok(caller)
}

fn refusal(denied: &Denied) -> Status {
    let text = denied.to_string();
    match denied {
        Denied::NoToken | Denied::WrongToken => Status::unauthenticated(text),
        Denied::TooManyWrong => Status::resource_exhausted(text),
        Denied::Repeated { .. } => Status::invalid_argument(text),
        _ => Status::permission_denied(text),
    }
}
