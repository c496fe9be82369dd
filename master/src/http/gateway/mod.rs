//! The web gateway of streams of sales: the HTTP dialect that the pages of a sales processor speak, on a port of its own.
//!
//! It belongs here if only that dialect needs it. What runs a stream is in `sales`.

mod admit;
mod download;
mod jobs;
mod parts;
mod refusal;
mod serve;
mod status;
mod upload;

pub(crate) use serve::{bind, serve};
