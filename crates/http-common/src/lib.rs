//! Shares the HTTP edge of both servers: binding, the admission of a request, response headers, bodies that a blocking
//! thread produces, and the ready line. It knows no route and no data.
#![warn(missing_docs)]

mod admit;
mod answer;
mod body;
mod connection;
mod listen;

pub use admit::{admit, denial};
pub use answer::{challenge, close, complete};
pub use body::{Sink, produced};
pub use connection::prepare_connection;
pub use listen::{announce, bind};

/// Seconds that a stopping server gives transfers under way. The whole stop must take less than five.
pub const STOP_SECONDS: u64 = 3;
