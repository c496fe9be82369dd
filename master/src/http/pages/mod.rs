//! The pages for people: one module per page, the types that their templates show, and what they load.
//!
//! It belongs here if a browser shows it. JSON and CSV do not.

pub(crate) mod assets;
pub(crate) mod files;
mod form;
pub(crate) mod home;
mod known;
pub(crate) mod lists;
mod numbers;
mod product_list;
mod queue_line;
mod report_templates;
pub(crate) mod reports;
mod source_line;
pub(crate) mod templates;
pub(crate) mod update;
pub(crate) mod upload;
pub(crate) mod wording;
