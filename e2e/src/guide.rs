//! The blocks of code on the pages of the guide, which tests run.

use std::{fs, path::Path};

/// The block of a language that contains `part`, on this page of the guide.
///
/// # Panics
/// There is none.
#[must_use]
pub fn block(page: &str, language: &str, part: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide").join(page);
    let page = fs::read_to_string(path).expect("the page can be read");
    let begin = format!("```{language}\n");
    let mut blocks = page.split(begin.as_str()).skip(1).filter_map(|rest| rest.split("```").next());
    let block = blocks.find(|block| block.contains(part)).unwrap_or_else(|| panic!("no block has {part}"));
    block.to_owned()
}
