//! Tests of reports through the public API: a report and a file give a result. One module per subject; `support` has
//! the shared check.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

mod columns;
mod conditions;
mod dates;
mod digests;
mod expressions;
mod metrics;
mod model;
mod numbers;
mod positions;
mod property;
mod readings;
mod rows;
mod support;
