//! Certificates: the own one of a server, which can be exchanged while it runs, and those that a client trusts. It opens no
//! connection.
#![warn(missing_docs)]

mod error;
mod files;
mod pair;
mod pin;
mod trust;
mod trust_flags;

pub use error::{TrustFault, trust_fault};
pub use files::{HalfPair, TlsFiles};
pub use pair::{PairError, PairInForce};
pub use pin::Pin;
pub use trust::Trust;
pub use trust_flags::TrustFlags;
