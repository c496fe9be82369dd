//! Decides which requests a server answers: the token, the `Host` rule, and the rule against requests from other sites.
//! It judges plain header values and knows no HTTP library, so any entrance can use it.
//! The rules are those of docs/reference/http-api.md#hosts-and-other-sites.
//!
//! ```
//! use tributary_admission::{Admission, Denied, RequestFacts, Token};
//!
//! let admission = Admission::new(Token::new("s3cret"), vec!["shop.example".to_owned()]);
//! let request = RequestFacts { host: Some(b"shop.example"), authorization: Some(b"Bearer s3cret"), ..Default::default() };
//! assert_eq!(admission.admit(&request), Ok(()));
//! let other = RequestFacts { host: Some(b"evil.example"), ..request };
//! assert!(matches!(admission.admit(&other), Err(Denied::UnknownHost { .. })));
//! ```
#![warn(missing_docs)]

mod access;
mod admission;
mod host;
mod origin;
mod token;

pub use access::{Access, OpenToAll, TokenFileError, host_and_port};
pub use admission::{Admission, Denied, RequestFacts};
pub use token::Token;
