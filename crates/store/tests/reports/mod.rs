//! Reports: their state, the files they read and their tables.

mod reported_files;
mod table;
