//! Reports: their state, their partials and their tables.

mod failed_reports;
mod figures;
mod report;
mod table;
