//! The list of dependencies: each has its reason in `docs/dependencies.md`, and nothing else stands there.

use std::{collections::BTreeSet, fs};

use anyhow::{Context, Result};

use super::tree::Tree;
use crate::workspace::root;

const LIST: &str = "docs/dependencies.md";

pub(super) fn faults(tree: &Tree) -> Result<Vec<String>> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).context("failed to read Cargo.toml")?;
    Ok(compared(&manifest, tree.text(LIST).unwrap_or_default()))
}

fn compared(manifest: &str, list: &str) -> Vec<String> {
    let (used, listed) = (used(manifest), listed(list));
    let missing = used.difference(&listed).map(|name| format!("{LIST}: say why `{name}` of Cargo.toml is there"));
    let gone =
        listed.difference(&used).map(|name| format!("{LIST}: `{name}` is no dependency of Cargo.toml; delete it"));
    missing.chain(gone).collect()
}

/// The names in `[workspace.dependencies]`, our own crates aside.
fn used(manifest: &str) -> BTreeSet<&str> {
    let section = manifest.split("[workspace.dependencies]").nth(1).unwrap_or_default();
    let section = section.split("\n[").next().unwrap_or_default();
    let names = section.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "));
    names.map(|(name, _)| name).filter(|name| !name.starts_with("tributary-")).collect()
}

/// The names in the first cells of the list's table.
fn listed(list: &str) -> BTreeSet<&str> {
    let rows = list.lines().filter(|line| line.starts_with("| ")).skip(2);
    let cells = rows.filter_map(|row| row.trim_start_matches("| ").split(" |").next());
    cells.flat_map(|cell| cell.split(", ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dependency_has_a_reason() {
        let manifest = "[workspace.dependencies]\ntributary-a = { path = \"a\" }\nserde = \"1\"\n# Why.\ntoml = \"1\"\nclap = \"4\"\n\n[x]\ny = 1\n";
        let list = "# List\n\n| library | for |\n| --- | --- |\n| clap, serde | x |\n| old | y |\n";
        let faults = compared(manifest, list);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[0].contains("`toml`") && faults[1].contains("`old`"), "{faults:?}");
    }
}
