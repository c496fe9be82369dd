//! Shares the HTTP edge of both servers: binding, the admission of a request, response headers, bodies that a blocking
//! thread produces, metrics of requests and the process, and the ready line. It knows no route and no data.
#![warn(missing_docs)]

mod admit;
mod answer;
mod body;
mod caller;
mod connection;
mod file_watch;
mod gone;
mod listen;
mod metrics;
mod paced;
mod panics;
mod produced;
mod reading;
mod received;
mod renew;
mod serve;
mod shared;
mod spill;
mod stream;
mod words;

pub use admit::denial;
pub use answer::{challenge, close, complete};
pub use body::{Work, file, noted, stepped, turn};
pub use caller::{admit, caller, require, revoked};
pub use file_watch::FileWatch;
pub use gone::Waiting;
pub use listen::{announce, bind, scheme, too_few_files};
pub use metrics::{RequestMetrics, add_counter, add_gauge, exposition};
pub use paced::paced;
pub use panics::catch_panic;
pub use produced::{Sink, produced};
pub use received::{Bodies, BodyError};
pub use renew::Renewal;
pub use serve::{serve, stop};
pub use shared::{Shared, WeakShared, shared};
pub use spill::{TempFile, keep_free, spilled, spilled_once};
pub use stream::Answering;
pub use words::plain;

/// Seconds that a stopping server gives transfers under way. The whole stop must take less than five.
const STOP_SECONDS: u64 = 3;
