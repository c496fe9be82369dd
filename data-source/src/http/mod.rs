//! Everything that knows the HTTP library: routes, handlers, and the responses that errors become. The folder and the reports
//! are elsewhere.

pub(crate) mod app;
mod body;
mod conditions;
mod error;
mod handlers;
mod headers;
mod held;
mod manifest;
mod opened;
pub(crate) mod router;
