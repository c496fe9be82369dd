//! The server: routes, admission, errors, and what all requests share.
//!
//! It belongs here if it holds for every request. Handlers do not.

mod active;
mod app;
mod delivery;
pub(crate) mod error;
pub(crate) mod input;
pub(crate) mod openapi;
mod roles;
pub(crate) mod router;
mod run;
pub(crate) mod sender;

pub(crate) use app::App;
pub(crate) use run::serve;
