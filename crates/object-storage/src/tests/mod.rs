//! The three kinds of places against each other, and S3 against a server that checks signatures.

mod listing;
mod settings;
mod storage;
