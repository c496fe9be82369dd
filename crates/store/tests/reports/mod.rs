//! Reports: their state, the files they read and their tables.

mod failed_reports;
mod reported_files;
mod table;
