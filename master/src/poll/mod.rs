//! Asking the sources: the client of one source, and one pass over it.

mod client;
mod pass;

pub(crate) use client::http_client;
pub(crate) use pass::{Pass, PassReport};
