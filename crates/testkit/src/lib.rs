//! What tests of several crates share: generated feeds, spawned binaries, sources that misbehave, waiting for a condition.
//! Only tests and `xtask` depend on it.
#![warn(missing_docs)]

pub mod faulty;
pub mod http;
pub mod privileges;
pub mod process;
pub mod wait;

pub use tributary_generate::products as feed;
