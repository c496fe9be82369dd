//! Decides which requests a server answers: tokens and roles, the `Host` rule, and the rule against requests from other sites.
//! It judges plain header values and knows no HTTP library, so any entrance can use it.
//! The rules are those of docs/reference/http-api.md#hosts-and-other-sites.
//!
//! ```
//! use tributary_admission::{Admission, Denied, RequestFacts, Role, Token, Tokens};
//!
//! let admission = Admission::new(Token::new("s3cret").map(Tokens::from), vec!["shop.example".to_owned()]);
//! let request = RequestFacts { host: Some(b"shop.example"), authorization: Some(b"Bearer s3cret"), ..Default::default() };
//! assert_eq!(admission.admit(&request).unwrap().role, Role::Admin);
//! let other = RequestFacts { host: Some(b"evil.example"), ..request };
//! assert!(matches!(admission.admit(&other), Err(Denied::UnknownHost { .. })));
//! ```
#![warn(missing_docs)]

mod access;
mod admission;
mod capability;
mod host;
mod origin;
mod role;
mod token;
mod token_file;
mod tokens;
mod wrong_tokens;

pub use access::{Access, OpenToAll, host_and_port};
pub use admission::{Admission, Denied, RequestFacts};
pub use capability::{
    CAPABILITY_CHARS, Capabilities, CapabilityError, MAX_CAPABILITIES, MAX_CAPABILITY_PATH_BYTES, MAX_CAPABILITY_TIME,
    Scope,
};
pub use role::{Caller, NotARole, Role};
pub use token::{Token, Weak};
pub use token_file::{TokenFileError, check_token_name, read_client_token};
pub use tokens::{Tokens, TokensInForce};
pub use wrong_tokens::{Delay, WrongTokens};
