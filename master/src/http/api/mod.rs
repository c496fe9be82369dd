//! The API for programs: one module per route or family of routes, and the JSON and CSV that they answer with.
//!
//! It belongs here if a program calls it. Pages do not.

pub(crate) mod aggr;
pub(crate) mod documents;
pub(crate) mod entity_tag;
pub(crate) mod events;
mod export;
pub(crate) mod exports;
pub(crate) mod files;
pub(crate) mod health;
pub(crate) mod history;
mod json;
mod members;
pub(crate) mod product;
pub(crate) mod product_changes;
pub(crate) mod product_query;
pub(crate) mod product_views;
pub(crate) mod products;
pub(crate) mod queues;
pub(crate) mod rejects;
pub(crate) mod reports;
pub(crate) mod results;
pub(crate) mod source_views;
pub(crate) mod sources;
pub(crate) mod suggestions;
pub(crate) mod tus;
pub(crate) mod upload;
pub(crate) mod upload_view;
pub(crate) mod uploads;
pub(crate) mod views;

pub(crate) use export::{Listed, exact_csv};
