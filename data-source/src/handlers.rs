//! One module a route. They turn requests into calls and results into answers; the rules are in the modules beside.

pub(crate) mod aggregate;
pub(crate) mod health;
pub(crate) mod page;
pub(crate) mod read_all;
pub(crate) mod read_file;
pub(crate) mod sense;

use actix_web::http::header::{CacheDirective, EntityTag};

/// What may be kept, but must be asked for again with its tag.
fn always_ask() -> actix_web::http::header::CacheControl {
    actix_web::http::header::CacheControl(vec![CacheDirective::NoCache])
}

/// A version or a hash as a tag of exactly these bytes.
fn strong_tag(text: &str) -> EntityTag {
    EntityTag::new_strong(text.to_owned())
}
