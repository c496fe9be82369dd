//! What both servers share at their HTTP edge: who may connect, the token, bodies that a thread produces, the line that says
//! that a server is ready, and the signals that stop it. It knows no route and no data.
#![warn(missing_docs)]

mod answer;
mod body;
mod listen;
mod token;

pub use answer::{challenge, complete};
pub use body::{Sink, produced};
pub use listen::{Access, OpenToAll, announce, bind, host_and_port, stop_on_signals};
pub use token::Token;

/// What a stopping server gives transfers under way, in seconds; the whole stop must take less than five.
pub const STOP_SECONDS: u64 = 3;
