//! `cargo xtask tidy`: rules that rustfmt and clippy do not check: heads and lengths of files, links and flags of documents, how doc
//! comments begin, and reasons of dependencies. Each rule takes the [`Tree`] and returns its faults.

mod dependencies;
mod flags;
mod links;
mod markdown;
mod prose;
mod tree;

use anyhow::{Result, ensure};

use self::tree::Tree;

/// The longest Rust file, in lines.
const MAX_LINES: usize = 400;

pub(crate) fn run() -> Result<()> {
    let tree = Tree::read()?;
    let faults =
        [heads(&tree), links::faults(&tree), flags::faults(&tree), prose::faults(&tree), dependencies::faults(&tree)?]
            .concat();
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    println!("tidy: {} files", tree.files.len());
    Ok(())
}

/// Rust files without a description at their head, or too long to be read at once.
fn heads(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, text) in tree.rust() {
        if !text.starts_with("//!") {
            faults.push(format!("{path}: begin it with `//!`: what it is and what it is not"));
        }
        let lines = text.lines().count();
        if lines > MAX_LINES {
            faults.push(format!("{path}: {lines} lines; split it below {MAX_LINES}"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rust_file_needs_a_head_and_an_end() {
        let long = "//! Long.\n".repeat(MAX_LINES + 1);
        let tree =
            Tree::of(&[("a.rs", "//! Good.\n"), ("b.rs", "fn main() {}\n"), ("c.rs", &long), ("d.md", "No head")]);
        assert_eq!(
            heads(&tree),
            ["b.rs: begin it with `//!`: what it is and what it is not", "c.rs: 401 lines; split it below 400"]
        );
    }
}
