//! HTTP: the pages for people, the API for programs, and what clients of other systems ask for. Thin adapters over the engine; no rule of the merge and no SQL.

mod api;
mod compat;
pub(crate) mod gateway;
mod pages;
mod server;
mod socketio;

pub(crate) use api::{Listed, exact_csv};
pub use pages::demo::DEMO_STEPS;
pub(crate) use pages::text::wording::thousands;
pub(crate) use server::serve;
