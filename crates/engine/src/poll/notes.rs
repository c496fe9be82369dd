//! Remarks on what a source offers, for people: nothing of it is wrong, but it may not be what was meant.

use tributary_format_rules::{SourceFormats, misordered};
use tributary_protocol::{CompactManifest, LeftOut, MAX_TEXT_BYTES, cut_text};

/// Files that never rest which a note names.
const MAX_FILES_NAMED: usize = 3;

/// Files of which the order is looked at: each may be of another kind, which is remembered.
const MAX_FILES_COMPARED: usize = 10_000;

/// Says that a source offers no file and what it leaves out, or which files are never at rest. `has_page` says that it has a page of its own,
/// which shows what it leaves out beside its files.
pub(super) fn note(manifest: &CompactManifest, has_page: bool) -> Option<String> {
    let left_out: Vec<_> = manifest.left_out.iter().map(words).collect();
    let left_out = (!left_out.is_empty()).then(|| format!("left out: {}", left_out.join("; ")));
    if manifest.files.is_empty() && manifest.unreadable.is_empty() {
        return Some(["offers no file".to_owned()].into_iter().chain(left_out).collect::<Vec<_>>().join("; "));
    }
    if !has_page && left_out.is_some() {
        return left_out;
    }
    let named: Vec<_> = manifest.files.partial_paths().take(MAX_FILES_NAMED).collect();
    let named = named.join(", ");
    match manifest.files.partial_paths().count() {
        0 => None,
        1..=MAX_FILES_NAMED => Some(format!("read up to the last complete record, because it never rests: {named}")),
        count => {
            Some(format!("{count} files are read up to the last complete record, because they never rest: {named}, …"))
        }
    }
}

fn words(LeftOut { reason, count, example }: &LeftOut) -> String {
    match count {
        1 => format!("{example} ({reason})"),
        count => format!("{count} files such as {example} ({reason})"),
    }
}

/// The reason of a failure for people, with what to do if a disk is full. A source's own words may be part of it.
pub(super) fn reason(error: &anyhow::Error) -> String {
    let words = format!("{error:#}");
    // Those of a database's server have several lines.
    let reason = cut_text(&words.split_whitespace().collect::<Vec<_>>().join(" "), MAX_TEXT_BYTES);
    let is_full = ["disk is full", "disk has no room", "No space left on device", "Disk quota exceeded"]
        .iter()
        .any(|words| reason.contains(words));
    if is_full { format!("{reason}; free space on the disk of the database, and it goes on by itself") } else { reason }
}

/// Says that numbers in paths do not count as numbers, if that matters for a feed whose order is not set.
pub(super) fn order_hint(
    manifest: &CompactManifest,
    formats: &SourceFormats,
    is_feed: impl Fn(&str) -> bool,
) -> Option<String> {
    let paths = manifest.files.paths().take(MAX_FILES_COMPARED);
    let (smaller, larger) = misordered(paths.filter(|path| is_feed(path) && formats.spec(path).order.is_none()))?;
    Some(format!(
        "of files with the same sku the last path wins, by bytes: {smaller} wins over {larger}; order = \"natural\" in \
         [[source.format]] compares numbers as numbers, order = \"path\" keeps it so"
    ))
}

#[cfg(test)]
mod tests {
    use tributary_protocol::ManifestEntry;

    use super::*;

    #[test]
    fn it_says_why_there_is_no_file_and_which_never_rest() {
        let left_out =
            |reason: &str, count, example: &str| LeftOut { reason: reason.into(), count, example: example.into() };
        let file = |path: &str, partial| ManifestEntry { path: path.into(), partial, ..ManifestEntry::default() };
        let check = |files: Vec<ManifestEntry>, left_out: Vec<LeftOut>, expect: Option<&str>| {
            let files = files.into_iter().collect();
            let manifest = CompactManifest { files, left_out, ..CompactManifest::default() };
            assert_eq!(note(&manifest, true).as_deref(), expect);
        };
        check(vec![], vec![], Some("offers no file"));
        let both = vec![left_out("ending", 3, "a.xls"), left_out("link", 1, "b.csv")];
        check(vec![], both.clone(), Some("offers no file; left out: 3 files such as a.xls (ending); b.csv (link)"));
        check(vec![file("a.csv", false)], both.clone(), None);
        let manifest =
            CompactManifest { files: [file("a.csv", false)].into_iter().collect(), ..CompactManifest::default() };
        assert_eq!(note(&manifest, false), None);
        let manifest = CompactManifest { left_out: both, ..manifest };
        let expect = "left out: 3 files such as a.xls (ending); b.csv (link)";
        assert_eq!((note(&manifest, false).as_deref(), note(&manifest, true)), (Some(expect), None));
        let one = "read up to the last complete record, because it never rests: b.csv";
        check(vec![file("a.csv", false), file("b.csv", true)], vec![], Some(one));
        let many = (0..5).map(|number| file(&format!("{number}.csv"), true)).collect();
        let five = "5 files are read up to the last complete record, because they never rest: 0.csv, 1.csv, 2.csv, …";
        check(many, vec![], Some(five));
    }
}
