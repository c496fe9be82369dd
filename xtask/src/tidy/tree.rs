//! The files that the rules look at: names of all, texts of Rust and Markdown.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use anyhow::{Result, ensure};

use crate::workspace::{output, root};

/// The repository's files, by paths from its top folder.
pub(super) struct Tree {
    /// All files.
    pub(super) files: BTreeSet<String>,
    texts: BTreeMap<String, String>,
}

impl Tree {
    /// Reads the files that git tracks, or would track.
    pub(super) fn read() -> Result<Self> {
        let listed = output("git", &["ls-files", "--cached", "--others", "--exclude-standard"])?;
        // A file that was just deleted is listed until it is committed.
        let files: BTreeSet<_> = listed.lines().filter(|path| root().join(path).exists()).map(str::to_owned).collect();
        ensure!(!files.is_empty(), "git lists no files");
        // Nobody writes or reads what is generated.
        let is_text =
            |path: &&String| (path.ends_with(".rs") || path.ends_with(".md")) && !path.contains("/generated/");
        let text = |path: &String| Ok((path.clone(), fs::read_to_string(root().join(path))?));
        let texts = files.iter().filter(is_text).map(text).collect::<Result<_>>()?;
        Ok(Self { files, texts })
    }

    /// A tree of these paths and texts.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let texts: BTreeMap<_, _> = files.iter().map(|(path, text)| ((*path).into(), (*text).into())).collect();
        Self { files: texts.keys().cloned().collect(), texts }
    }

    /// The Rust files and their texts.
    pub(super) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.ending(".rs")
    }

    /// The Markdown files and their texts.
    pub(super) fn markdown(&self) -> impl Iterator<Item = (&str, &str)> {
        self.ending(".md")
    }

    /// The text of a Rust or Markdown file.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// Whether there is a file of this path, or a folder that holds one.
    pub(super) fn has(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        path.is_empty() || self.files.contains(path) || self.files.iter().any(|file| file.starts_with(&folder))
    }

    fn ending(&self, ending: &str) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().filter(move |(path, _)| path.ends_with(ending)).map(|(path, text)| (&**path, &**text))
    }
}
