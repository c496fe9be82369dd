//! Reports by their rules: a report, a file, and what comes of it. One module a subject; `support` has the check.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

mod columns;
mod conditions;
mod digests;
mod expressions;
mod metrics;
mod model;
mod property;
mod rows;
mod support;
