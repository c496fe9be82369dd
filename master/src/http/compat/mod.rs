//! Bridges for clients of older systems: the REST paths that `[compat]` turns on, and the rows that they and Socket.IO give.
//!
//! It belongs here if only such clients ask for it. Socket.IO itself does not.

mod data;
pub(crate) mod rows;
mod update;

pub(crate) use data::{data, health};
pub(crate) use update::{is_json, update};
