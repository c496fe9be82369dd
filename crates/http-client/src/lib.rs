//! The client side of HTTP, as the master asks its sources and `publish` asks a master: one way to build a client, checked
//! responses with bounded bodies, errors in plain words, and one retry policy. It knows no routes and no file formats.
#![warn(missing_docs)]

mod backoff;
mod client;
mod digest;
mod endpoint;
mod error;
mod held;
mod json_stream;
mod response;
mod send;

pub use backoff::Backoff;
pub use client::ClientOptions;
pub use digest::AnnouncedDigest;
pub use endpoint::{Endpoint, master_url};
pub use error::{Error, LOOK_BETWEEN};
pub use held::HeldConnection;
pub use json_stream::{JsonBounds, read_json_within};
pub use response::{expect_ok, expect_success, read_body, read_json};
pub use send::send_safe;
pub use tributary_tls::Trust;
