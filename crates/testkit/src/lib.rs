//! Shared test tools: generated feeds, spawned binaries, faulty sources, schemas of a server, waiting for a condition. Only tests and `xtask`
//! depend on it.
#![warn(missing_docs)]

pub mod bucket;
pub mod chromium;
pub mod disk;
pub mod faulty;
pub mod http;
pub mod postgres;
pub mod privileges;
pub mod process;
pub mod proxy;
#[cfg(feature = "s3")]
pub mod s3;
pub mod terminal;
pub mod wait;

pub use tributary_generate::products as feed;
