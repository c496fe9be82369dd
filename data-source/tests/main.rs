//! The built `data-source`, spoken to over HTTP as others speak to it. One module a subject; `support` starts and asks.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

mod aggregate;
mod aggregate_large;
mod guard;
mod process;
mod read_all;
mod read_file;
mod sense;
mod support;
mod unreadable;
