//! A check that a page shows what others wrote as text.

use askama::Template;

/// A text that would run as a script, or end an attribute, if it were not escaped.
pub(in crate::http) const EVIL: &str = "<script>alert('1')</script>\"'&";

/// Checks that a page whose every text is [`EVIL`] shows it as text.
pub(in crate::http) fn check(page: &impl Template) {
    let page = page.render().unwrap();
    assert!(page.contains("&#60;script&#62;"), "{page}");
    assert!(!page.contains("<script>") && !page.contains("\"'&"), "{page}");
}
