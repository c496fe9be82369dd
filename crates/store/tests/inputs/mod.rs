//! Sources, files, pages and rejects.

mod files;
mod pages;
mod rejects;
mod sources;
mod views;
