//! The form in a browser, and a source that is not ours.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

mod form;
mod live;
mod phone;
mod reports;
mod source;
mod upload;
