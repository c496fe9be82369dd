//! Partial results of reports: computing them file by file, and keeping those that were sent. Nothing here knows requests or
//! responses.

mod cache;
mod computation;

pub(crate) use computation::{Computations, PartialJob};
