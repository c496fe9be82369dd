//! HTTP: the pages for people and the API for programs. It reads through `readers` and writes through `writer`; it knows no
//! SQL and no rule of the merge.

mod csv;
mod error;
mod filtered;
mod handlers;
mod input;
mod numbers;
mod openapi;
mod pages;
mod report_pages;
mod results;
pub(crate) mod router;
mod upload_view;
mod views;
mod wording;
