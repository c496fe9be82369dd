//! Generated data: feeds to show, to test and to measure with. The same seed gives the same bytes. It writes where it is told
//! to and knows nothing of the rest.
#![warn(missing_docs)]

pub mod products;
