//! `GET /sense/files`: all files of a source, within its limits. It is parsed while it arrives, because there may be a million.

use anyhow::{Context as _, Result, anyhow, bail};
use tributary_budget::Share;
use tributary_format_rules::size_text;
use tributary_http_client::{Error, JsonBounds, read_json_within};
use tributary_protocol::{CompactManifest, FileList};

use super::{
    client::{MANIFEST_TIMEOUT, SourceClient, answer},
    memory::{ListRoom, TURN_SPEED},
};

/// Longest entry of a manifest: a path of 4 KiB of which each byte is escaped, and the rest.
const MAX_ENTRY_BYTES: usize = 32 << 10;
/// Bytes of a manifest for each file that the source may have, and beside them.
const BYTES_PER_FILE: u64 = 256;
const MIN_MANIFEST_BYTES: u64 = 16 << 20;
/// Items beside the files: rules of formats, and reasons for which files are left out.
const MAX_OTHER_ITEMS: u64 = 512;

impl SourceClient {
    /// Sends `GET /sense/files` and checks the paths: each is inside the folder, and none occurs twice. With `since`, the source may
    /// answer with what has changed since that version. The list counts as long as the share is held.
    pub(crate) async fn manifest(&self, since: Option<&str>) -> Result<(CompactManifest, Share)> {
        let max_files = self.limits.max_files;
        let (mut manifest, share) = self.manifest_with_room(since).await?;
        if manifest.files.len() as u64 > max_files {
            let files = manifest.files.len();
            bail!("/sense/files lists {files} files, and the limit `max_files` of this source is {max_files}");
        }
        if let Some(other) = manifest.since.as_deref().filter(|other| Some(*other) != since) {
            bail!("/sense/files answers with what has changed since {other:?}, which was not asked for");
        }
        // A million are sorted.
        let check = move || check_paths(&mut manifest.files).map(|()| manifest);
        let checked = tokio::task::spawn_blocking(check).await;
        Ok((checked.context("checking the paths of /sense/files panicked; this is a bug")??, share))
    }

    /// Asks for the list until there is room for it.
    async fn manifest_with_room(&self, since: Option<&str>) -> Result<(CompactManifest, Share)> {
        let (memory, max_files) = (&self.http.memory, self.limits.max_files);
        let mut room = memory.list();
        loop {
            let lost = room.lost();
            let read = tokio::select! {
                read = self.read_manifest(since, &mut room) => read,
                () = lost.cancelled() => bail!(
                    "/sense/files is too slow while other long lists wait: it sends less than {} per second",
                    size_text(TURN_SPEED)
                ),
            };
            match read {
                Err(Error::NoRoom { .. }) => {}
                Err(error @ Error::Unusable { .. }) => {
                    bail!("{error}; its limit `max_files` is {max_files} files, which bounds the list of them")
                }
                read => return Ok((read?, room.arrived())),
            }
            if !room.wait().await {
                let lists = size_text(memory.list_bytes());
                bail!(
                    "/sense/files lists more than there is room for beside the lists of other sources: `lists` in `[limits]` is {lists}"
                );
            }
        }
    }

    async fn read_manifest(&self, since: Option<&str>, room: &mut ListRoom<'_>) -> Result<CompactManifest, Error> {
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
        read_json_within(answer(request).await?, bounds, |bytes| room.grow(bytes), "a source").await
    }
}

/// Sorts the files, and checks their paths.
fn check_paths(files: &mut FileList) -> Result<()> {
    let is_strange = |path: &str| path.split('/').any(|part| matches!(part, "" | "." | "..")) || path.contains('\0');
    let wrong = |path: &str| {
        anyhow!("/sense/files lists the path {path:?}, which is not a path inside a folder or occurs twice")
    };
    if let Some(path) = files.paths().find(|path| is_strange(path)) {
        return Err(wrong(path));
    }
    files.sort();
    let twice = files.paths().zip(files.paths().skip(1)).find(|(one, other)| one == other);
    twice.map_or(Ok(()), |(path, _)| Err(wrong(path)))
}

#[cfg(test)]
mod tests {
    use tributary_protocol::ManifestEntry;

    use super::*;

    #[test]
    fn paths_are_inside_a_folder_and_occur_once() {
        let check = |paths: &[&str]| {
            let entry = |path: &&str| ManifestEntry { path: (*path).to_owned(), ..ManifestEntry::default() };
            let mut files: FileList = paths.iter().map(entry).collect();
            check_paths(&mut files).map(|()| files.paths().map(str::to_owned).collect::<Vec<_>>())
        };
        assert_eq!(check(&["a", "b/c"]).unwrap(), ["a", "b/c"]);
        assert_eq!(check(&["b", "a.csv", "a"]).unwrap(), ["a", "a.csv", "b"]);
        for wrong in [&["b", "a", "b"][..], &["a", "a"], &["../a"], &["/a"], &["a//b"], &["a/./b"], &["a\0"], &[""]] {
            assert!(check(wrong).is_err(), "{wrong:?}");
        }
    }
}
