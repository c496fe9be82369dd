//! The objects of a bucket that are files of a source, by the rules of a `data-source`, as far as names tell.

use chrono::{DateTime, SecondsFormat};
use tributary_config::SourceConfig;
use tributary_format_rules::FormatRules;
use tributary_formats::{
    has_table_ending, has_workbook_ending, is_hidden, is_offered, is_owner_file, is_workbook, may_be_note,
};
use tributary_object_storage::Object;
use tributary_protocol::{
    CompactManifest, LeftOut, MAX_HASH_BYTES, MAX_PATH_BYTES, ManifestEntry, Unreadable, cut_text,
};

/// Begins the identity of a content.
const ALGORITHM: &str = "etag:";
/// Begins an `ETag` that says only that contents mean the same. It is no condition for reading.
const WEAK: &str = "W/";
/// Bytes that an entry of a list counts for beside its texts.
const ENTRY_BYTES: u64 = 64;
/// Longest example of what is left out.
const MAX_EXAMPLE_BYTES: usize = 200;
/// Why an archived object cannot be read.
const ARCHIVED: &str = "it is archived: copy it to another storage class, or name it in `exclude` of this source";

/// The rules of one source.
pub(super) struct ObjectRules {
    formats: FormatRules,
}

/// An object, as it is taken.
pub(super) enum Found {
    /// A file.
    File(ManifestEntry),
    /// A file of which the content is out of reach.
    Archived(String),
    /// No file, for this reason.
    LeftOut(&'static str, String),
}

impl ObjectRules {
    pub(super) fn new(source: &SourceConfig) -> Self {
        Self { formats: source.formats.clone() }
    }

    /// Sorts an object.
    ///
    /// # Errors
    /// The server says nothing by which its contents differ.
    pub(super) fn find(&self, object: Object) -> anyhow::Result<Found> {
        let Object { key, size, etag, modified, is_archived } = object;
        if let Some(reason) = self.refuses(&key) {
            return Ok(Found::LeftOut(reason, key));
        }
        if is_archived {
            return Ok(Found::Archived(key));
        }
        let hash = etag.map(|etag| format!("{ALGORITHM}{}", etag.trim_matches('"')));
        let hash = hash.filter(|hash| hash.len() > ALGORITHM.len() && hash.len() <= MAX_HASH_BYTES);
        let Some(hash) = hash else {
            anyhow::bail!("the server lists {key} without an ETag that can be used, so it cannot be a source");
        };
        let modified = modified.and_then(|time| DateTime::parse_from_rfc3339(&time).ok());
        let modified = modified.map(|time| time.to_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true));
        let modified = modified.unwrap_or_default();
        Ok(Found::File(ManifestEntry { path: key, size, modified, hash, partial: false }))
    }

    /// Sorts a key that cannot be a path; `None` for the marker of a folder.
    pub(super) fn find_odd(&self, key: String) -> Option<Found> {
        (!key.ends_with('/')).then_some(Found::LeftOut("name", key))
    }

    /// The reason for which no object with this key is a file, if there is one.
    fn refuses(&self, key: &str) -> Option<&'static str> {
        let name = key.rsplit('/').next().unwrap_or(key);
        match () {
            () if key.len() > MAX_PATH_BYTES => Some("name"),
            () if key.split('/').any(is_hidden) => Some("hidden"),
            () if is_owner_file(name) => Some("owner"),
            // A folder is asked for the first line, too. Here that would cost a request each time.
            () if may_be_note(name) => Some("note"),
            () if is_offered(key) => None,
            () if is_workbook(key) && self.formats.reads_sheet(key) => None,
            () if has_workbook_ending(name) => Some("workbook"),
            () if has_table_ending(name) => Some("name"),
            () => Some("ending"),
        }
    }
}

impl Found {
    /// Bytes for which it counts in the memory of lists.
    pub(super) fn listed_bytes(&self) -> u64 {
        match self {
            Self::File(entry) => ENTRY_BYTES + (entry.path.len() + entry.hash.len() + entry.modified.len()) as u64,
            Self::Archived(path) => ENTRY_BYTES + (path.len() + ARCHIVED.len()) as u64,
            Self::LeftOut(..) => 0,
        }
    }

    /// Adds it to a manifest.
    pub(super) fn add_to(self, manifest: &mut CompactManifest) {
        match self {
            Self::File(entry) => manifest.files.push(&entry),
            Self::Archived(path) => manifest.unreadable.push(Unreadable { path, error: ARCHIVED.to_owned() }),
            Self::LeftOut(reason, example) => match manifest.left_out.iter_mut().find(|known| known.reason == reason) {
                Some(known) => known.count += 1,
                None => {
                    let example = cut_text(&example, MAX_EXAMPLE_BYTES);
                    manifest.left_out.push(LeftOut { reason: reason.to_owned(), count: 1, example });
                }
            },
        }
    }
}

/// The `ETag` of a listed content without its quotes, and the condition under which only that is read, if there is one.
pub(super) fn etag_of(hash: &str) -> (&str, Option<String>) {
    let etag = hash.strip_prefix(ALGORITHM).unwrap_or(hash);
    (etag, (!etag.starts_with(WEAK)).then(|| format!("\"{etag}\"")))
}

/// The digest of a list, whatever its order: not every server sorts its keys.
#[derive(Default)]
pub(super) struct ListDigest {
    sum: u128,
}

impl ListDigest {
    /// Adds an object. Those that are no files do not count.
    pub(super) fn add(&mut self, found: &Found) {
        let mut digest = blake3::Hasher::new();
        let mut word = |word: &str| {
            digest.update(&(word.len() as u64).to_le_bytes()).update(word.as_bytes());
        };
        match found {
            Found::LeftOut(..) => return,
            Found::Archived(path) => word(path),
            Found::File(ManifestEntry { path, size, modified, hash, .. }) => {
                [path, hash, modified, &size.to_string()].into_iter().for_each(|text| word(text));
            }
        }
        let mut bytes = [0; 16];
        digest.finalize_xof().fill(&mut bytes);
        self.sum = self.sum.wrapping_add(u128::from_le_bytes(bytes));
    }

    /// The version of a list of these.
    pub(super) fn version(&self) -> String {
        format!("{:032x}", self.sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(key: &str) -> Object {
        let (etag, modified) = (Some("\"0f\"".to_owned()), Some("2026-11-30T06:00:00.000Z".to_owned()));
        Object { key: key.to_owned(), size: 7, etag, modified, is_archived: false }
    }

    fn rules() -> ObjectRules {
        let source = SourceConfig::new("a", "s3://b").unwrap();
        ObjectRules::new(&source)
    }

    #[test]
    fn an_object_is_a_file_by_its_name() {
        let check = |key: &str, expect: Option<&str>| {
            let reason = match rules().find(object(key)).unwrap() {
                Found::LeftOut(reason, _) => Some(reason),
                _ => None,
            };
            assert_eq!(reason, expect, "{key}");
        };
        for key in ["a.csv", "sub/a.TXT.gz", "a b+c%.tsv", "README.csv"] {
            check(key, None);
        }
        check("a.csv.part", Some("ending"));
        check("a.xlsx", Some("workbook"));
        check("sub/.git/a.csv", Some("hidden"));
        check("~$a.csv", Some("owner"));
        check("sub/ReadMe.txt", Some("note"));
        check(&format!("{}.csv", "x".repeat(MAX_PATH_BYTES)), Some("name"));
        let markers = ["sub/", "a//b.csv"].map(|key| rules().find_odd(key.to_owned()).is_some());
        assert_eq!(markers, [false, true]);
    }

    #[test]
    fn an_etag_comes_back_as_the_condition() {
        let check = |etag: Option<&str>, expect: Option<(&str, Option<&str>)>| {
            let found = rules().find(Object { etag: etag.map(str::to_owned), ..object("a.csv") });
            let Some((expect, condition)) = expect else { return assert!(found.is_err(), "{etag:?}") };
            let Ok(Found::File(ManifestEntry { hash, modified, .. })) = found else { panic!("{etag:?}") };
            assert_eq!(
                (etag_of(&hash), modified.as_str()),
                ((expect, condition.map(str::to_owned)), "2026-11-30T06:00:00Z")
            );
        };
        check(Some("\"0f-2\""), Some(("0f-2", Some("\"0f-2\""))));
        check(Some("0f"), Some(("0f", Some("\"0f\""))));
        check(Some("W/\"0f\""), Some(("W/\"0f", None)));
        check(Some("\"\""), None);
        check(Some(&"0".repeat(MAX_HASH_BYTES)), None);
        check(None, None);
    }

    #[test]
    fn a_version_follows_from_all_that_is_offered_and_not_from_its_order() {
        let version = |objects: Vec<Object>| {
            let mut digest = ListDigest::default();
            objects.into_iter().for_each(|object| digest.add(&rules().find(object).unwrap()));
            digest.version()
        };
        let first = version(vec![object("a.csv"), object("b.csv"), object("c.pdf")]);
        assert_eq!(version(vec![object("b.csv"), object("a.csv")]), first);
        let changed = |change: fn(&mut Object)| {
            let mut changed = object("b.csv");
            change(&mut changed);
            assert_ne!(version(vec![object("a.csv"), changed]), first);
        };
        changed(|object| object.key.push_str(".gz"));
        changed(|object| object.size += 1);
        changed(|object| object.etag = Some("1f".to_owned()));
        changed(|object| object.modified = Some("2026-11-30T06:00:01Z".to_owned()));
        changed(|object| object.is_archived = true);
        assert_ne!(version(vec![object("a.csv")]), first);
        assert_ne!(version(Vec::new()), version(vec![object("a.csv"), object("a.csv")]));
    }
}
