//! The pages for people: a room per page, the frame and the words that they share, and what they load.
//!
//! It belongs here if a browser shows it. JSON and CSV do not.

pub(crate) mod assets;
pub(crate) mod demo;
pub(crate) mod docs;
pub(crate) mod frame;
pub(crate) mod names;
pub(crate) mod overview;
mod plot;
pub(crate) mod product;
pub(crate) mod products;
pub(crate) mod rejects;
pub(crate) mod reports;
pub(crate) mod sources;
pub(crate) mod text;
pub(crate) mod uploads;
