//! Watches real folders whose files are written, renamed, rewritten and removed, one module per subject. Rules that need no
//! file system are tested next to the code.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

mod changes;
mod exchanged;
mod growing;
mod model;
mod storage;
mod support;
mod unreadable;
