//! HTTP: the pages for people, the API for programs, and what clients of older systems ask for. Thin adapters over the engine; no rule of the merge and no SQL.

mod api;
mod compat;
mod pages;
mod server;
mod socketio;

pub use pages::demo::DEMO_STEPS;
pub(crate) use pages::text::wording::thousands;
pub(crate) use server::serve;
