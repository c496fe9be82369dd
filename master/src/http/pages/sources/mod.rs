//! The sources and their files.

pub(crate) mod files;
