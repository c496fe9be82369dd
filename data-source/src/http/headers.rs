//! Headers that several handlers send.

use actix_web::http::header::{CacheControl, CacheDirective, EntityTag};

/// Allows a response to be cached, but only with a check of its tag at every use.
pub(crate) fn revalidate() -> CacheControl {
    CacheControl(vec![CacheDirective::NoCache])
}

/// Returns a version or a hash as a strong tag.
pub(crate) fn strong_tag(text: &str) -> EntityTag {
    EntityTag::new_strong(text.to_owned())
}
