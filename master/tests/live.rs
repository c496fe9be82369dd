//! The master that stays: it follows changes by itself, takes edits meanwhile, and ends cleanly.

mod catalog;
pub(crate) mod changes;
mod compat;
mod documents;
mod edits;
mod history;
mod slow;
mod uploads;
mod web;
