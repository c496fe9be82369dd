//! The licences of all crates that the programs are built of, whose terms ask that they go with a copy.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::workspace::output;

/// The begin of a licence file's name.
const NAMES: [&str; 5] = ["license", "licence", "copying", "copyright", "notice"];

/// Writes each text once, below the names of the crates that come with it.
pub(super) fn write(path: &Path) -> Result<()> {
    let target = output("rustc", &["--print", "host-tuple"])?;
    let metadata = output("cargo", &["metadata", "--format-version", "1", "--locked", "--filter-platform", &target])?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata prints no JSON")?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let mut crates: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages.iter().filter(|package| package["source"].is_string()) {
        let text = |field: &str| package[field].as_str().unwrap_or("unknown");
        let name = format!("{} {} ({})", text("name"), text("version"), text("license"));
        let folder = Path::new(text("manifest_path")).parent().context("a manifest is in a folder")?;
        for licence in texts(folder)? {
            crates.entry(licence).or_default().insert(name.clone());
        }
    }
    let mut all = String::new();
    for (licence, names) in &crates {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        write!(all, "{}\n\n{}\n\n{}\n\n", names.join("\n"), licence.trim_end(), "=".repeat(80))?;
    }
    fs::write(path, all).with_context(|| format!("failed to write {}", path.display()))
}

/// The licence files of a crate.
fn texts(folder: &Path) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("failed to look into {}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_lowercase();
        if NAMES.iter().any(|start| name.starts_with(start)) && entry.file_type()?.is_file() {
            texts.push(String::from_utf8_lossy(&fs::read(entry.path())?).into_owned());
        }
    }
    Ok(texts)
}
