//! Events and uploads.

mod events;
mod uploads;
