//! The master that stays: it follows changes by itself, takes edits meanwhile, and ends cleanly.

mod changes;
mod documents;
mod edits;
mod uploads;
mod web;
