//! Partial results of reports, and whether files are plain: computing both file by file, and keeping what was sent. Nothing here knows requests or
//! responses.

mod cache;
mod computation;

pub(crate) use computation::{Computations, PartialJob, Question};
