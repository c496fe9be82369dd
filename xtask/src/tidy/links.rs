//! Links between files: each relative link of a Markdown file, and each page of `docs/` that a Rust file cites, must exist, anchors
//! included. Addresses elsewhere are not asked for.

use std::collections::BTreeMap;

use super::{markdown::Page, tree::Tree};

/// Links that lead nowhere.
pub(super) fn faults(tree: &Tree) -> Vec<String> {
    let pages: BTreeMap<_, _> = tree.markdown().map(|(path, text)| (path, Page::parse(text))).collect();
    let links = pages.iter().flat_map(|(path, page)| {
        let relative = page.links.iter().filter(|(_, link)| !is_elsewhere(link));
        relative.map(|(line, link)| (*path, *line, link.clone(), resolve(path, link)))
    });
    let cited = tree.rust().flat_map(|(path, text)| {
        citations(text).map(move |(line, cited)| (path, line, cited.to_owned(), resolve("", cited)))
    });
    let check = |(path, line, link, target)| {
        let why = fault(tree, &pages, &target)?;
        Some(format!("{path}:{line}: `{link}` leads nowhere: {why}"))
    };
    links.chain(cited).filter_map(check).collect()
}

/// A path from the top folder, and the anchor behind it.
pub(super) struct Target {
    pub(super) path: String,
    anchor: Option<String>,
}

/// The target of a link that stands in the file `from`.
pub(super) fn resolve(from: &str, link: &str) -> Target {
    let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor.to_owned())));
    if path.is_empty() {
        return Target { path: from.to_owned(), anchor };
    }
    // As on GitHub, a link that begins with `/` starts at the top folder.
    let folder = if path.starts_with('/') { "" } else { from.rsplit_once('/').map_or("", |(folder, _)| folder) };
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            // Above the top folder there is nothing of ours, so the path is kept as one that does not exist.
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    Target { path: parts.join("/").replace("%20", " "), anchor }
}

fn fault(tree: &Tree, pages: &BTreeMap<&str, Page>, target: &Target) -> Option<String> {
    let Target { path, anchor } = target;
    if !tree.has(path) {
        return Some(format!("there is no {path}"));
    }
    let page = pages.get(path.as_str())?;
    let anchor = anchor.as_ref().filter(|anchor| !page.anchors.contains(*anchor))?;
    Some(format!("{path} has no heading `{anchor}`"))
}

fn is_elsewhere(link: &str) -> bool {
    link.contains("://") || link.starts_with("mailto:")
}

/// The Markdown files below `docs/` that a Rust file names, with or without an anchor, and the line of each.
fn citations(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |letter: char| letter.is_alphanumeric() || "/._-#".contains(letter);
    text.lines().enumerate().flat_map(move |(number, line)| {
        let words = line.split(move |letter| !is_part(letter)).map(|word| word.trim_end_matches('.'));
        words.filter(|word| word.starts_with("docs/") && word.contains(".md")).map(move |word| (number + 1, word))
    })
}

#[cfg(test)]
mod tests;
