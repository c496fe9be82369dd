//! HTTP: the pages for people and the API for programs. Thin adapters over the engine; no rule of the merge and no SQL.

mod api;
mod pages;
mod server;

pub(crate) use pages::text::wording::thousands;
pub(crate) use server::serve;
