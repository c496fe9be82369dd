//! The sources: all of them at `/sources`, one with its files at `/sources/{name}`, and the product feeds of all at `/files`.

pub(crate) mod accept;
mod durations;
pub(crate) mod files;
mod held;
pub(crate) mod list;
mod row;
mod running;
pub(crate) mod source;

pub(super) use held::HeldLine;
pub(super) use running::{RunningLine, error_text};
