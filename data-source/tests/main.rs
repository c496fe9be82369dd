//! Tests the built `data-source` over HTTP, one module per subject. `support` starts it and sends requests.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

mod aggregate;
mod aggregate_large;
mod capabilities;
mod delta;
mod digests;
mod growing;
mod guard;
mod plain;
mod process;
mod read_all;
mod read_file;
mod selection;
mod sense;
mod slow;
mod support;
mod unreadable;
