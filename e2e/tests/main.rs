//! The form as people use it, and a source that is not ours.

#![allow(clippy::unwrap_used)]

mod form;
mod live;
mod phone;
mod source;
mod upload;
