//! `GET /sense/files`: all files of a source, within its limits. It is parsed while it arrives, because there may be a million.

use anyhow::{Result, anyhow, bail};
use tributary_http_client::{Error, JsonBounds, read_json_within};
use tributary_protocol::{Manifest, ManifestEntry};

use super::client::{MANIFEST_TIMEOUT, SourceClient, answer};

/// Longest entry of a manifest: a path of 4 KiB of which each byte is escaped, and the rest.
const MAX_ENTRY_BYTES: usize = 32 << 10;
/// Bytes of a manifest for each file that the source may have, and beside them.
const BYTES_PER_FILE: u64 = 256;
const MIN_MANIFEST_BYTES: u64 = 16 << 20;
/// Items beside the files: rules of formats, and reasons for which files are left out.
const MAX_OTHER_ITEMS: u64 = 512;

impl SourceClient {
    /// Sends `GET /sense/files` and checks the paths: each is inside the folder, and none occurs twice. With `since`, the source may
    /// answer with what has changed since that version.
    pub(crate) async fn manifest(&self, since: Option<&str>) -> Result<Manifest> {
        let mut request = self.get("sense/files").timeout(MANIFEST_TIMEOUT);
        if let Some(since) = since {
            request = request.query(&[("since", since)]);
        }
        let max_files = self.limits.max_files;
        let bounds = JsonBounds {
            items: max_files.saturating_add(MAX_OTHER_ITEMS),
            item_bytes: MAX_ENTRY_BYTES,
            bytes: max_files.saturating_mul(BYTES_PER_FILE).saturating_add(MIN_MANIFEST_BYTES),
            patience: self.patience(),
        };
        let mut manifest: Manifest = match read_json_within(answer(request).await?, bounds, "a source").await {
            Err(error @ Error::Unusable { .. }) => {
                bail!("{error}; its limit `max_files` is {max_files} files, which bounds the list of them")
            }
            read => read?,
        };
        if manifest.files.len() as u64 > max_files {
            let files = manifest.files.len();
            bail!("/sense/files lists {files} files, and the limit `max_files` of this source is {max_files}");
        }
        if let Some(other) = manifest.since.as_deref().filter(|other| Some(*other) != since) {
            bail!("/sense/files answers with what has changed since {other:?}, which was not asked for");
        }
        manifest.files.iter_mut().for_each(|entry| entry.hash.make_ascii_lowercase());
        check_paths(&mut manifest.files)?;
        Ok(manifest)
    }
}

/// Sorts the files, if they are not sorted yet, and checks their paths.
fn check_paths(files: &mut [ManifestEntry]) -> Result<()> {
    let is_strange = |path: &str| path.split('/').any(|part| matches!(part, "" | "." | "..")) || path.contains('\0');
    let wrong = |path: &str| {
        anyhow!("/sense/files lists the path {path:?}, which is not a path inside a folder or occurs twice")
    };
    if let Some(entry) = files.iter().find(|entry| is_strange(&entry.path)) {
        return Err(wrong(&entry.path));
    }
    if !files.is_sorted_by(|one, other| one.path < other.path) {
        files.sort_unstable_by(|one, other| one.path.cmp(&other.path));
    }
    let twice = files.windows(2).find(|pair| pair[0].path == pair[1].path);
    twice.map_or(Ok(()), |pair| Err(wrong(&pair[0].path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_inside_a_folder_and_occur_once() {
        let check = |paths: &[&str]| {
            let entry = |path: &&str| ManifestEntry { path: (*path).to_owned(), ..ManifestEntry::default() };
            let mut files: Vec<_> = paths.iter().map(entry).collect();
            check_paths(&mut files).map(|()| files.into_iter().map(|file| file.path).collect::<Vec<_>>())
        };
        assert_eq!(check(&["a", "b/c"]).unwrap(), ["a", "b/c"]);
        assert_eq!(check(&["b", "a.csv", "a"]).unwrap(), ["a", "a.csv", "b"]);
        for wrong in [&["b", "a", "b"][..], &["a", "a"], &["../a"], &["/a"], &["a//b"], &["a/./b"], &["a\0"], &[""]] {
            assert!(check(wrong).is_err(), "{wrong:?}");
        }
    }
}
