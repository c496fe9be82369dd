//! Sources, held versions, files, pages and rejects.

mod files;
mod held_versions;
mod pages;
mod plain_files;
mod rejects;
mod sources;
mod views;
