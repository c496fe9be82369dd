//! Bounds on what the other program sends, applied where it is read. What a master compares (paths, hashes, versions) is refused beyond
//! its bound; what only people read is cut. No database need store a NUL byte: it is refused in the one, and U+2400 stands for it in the
//! other.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, SeqAccess, Visitor},
};

/// Longest path of a file: what Linux takes at once.
pub const MAX_PATH_BYTES: usize = 4_096;
/// Longest hash, with its algorithm. A SHA-512 in hex would fit.
pub const MAX_HASH_BYTES: usize = 160;
/// Longest time of a change. RFC 3339 takes 35 bytes.
pub(crate) const MAX_TIME_BYTES: usize = 64;
/// Longest version of a source.
pub(crate) const MAX_VERSION_BYTES: usize = 1_024;
/// Bytes that are kept of a text for people: a reason, an error, a row.
pub const MAX_TEXT_BYTES: usize = 4_096;
/// Bytes that are kept of the reason and of the text of a rejected row, of which a file may have a thousand.
pub(crate) const MAX_REJECT_BYTES: usize = 1_024;
/// Most rules of formats that a source announces.
pub(crate) const MAX_FORMATS: usize = 256;
/// Most reasons for which files are left out that are kept.
pub(crate) const MAX_LEFT_OUT: usize = 100;
/// Most texts of a group: its keys, and its parts.
pub(crate) const MAX_GROUP_TEXTS: usize = 4_096;

/// Cuts a text for people after `max` bytes, and marks the cut. U+2400 stands for a NUL byte, which PostgreSQL does not store.
#[must_use]
pub fn cut_text(text: &str, max: usize) -> String {
    let mut kept = text[..text.floor_char_boundary(max)].replace('\0', "\u{2400}");
    if text.len() > max {
        kept.push('…');
    }
    kept
}

/// Reads a text, and keeps its first `MAX` bytes.
pub(crate) fn cut<'de, D: Deserializer<'de>, const MAX: usize>(deserializer: D) -> Result<String, D::Error> {
    deserializer.deserialize_str(Text(|text: &str| Ok(cut_text(text, MAX))))
}

/// Reads a text or none, and keeps its first `MAX` bytes.
pub(crate) fn cut_optional<'de, D: Deserializer<'de>, const MAX: usize>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    Ok(Option::<Cut<MAX>>::deserialize(deserializer)?.map(|Cut(text)| text))
}

/// Reads texts, and keeps the first `MAX` bytes of the first `COUNT`.
pub(crate) fn cut_texts<'de, D: Deserializer<'de>, const COUNT: usize, const MAX: usize>(
    deserializer: D,
) -> Result<Vec<String>, D::Error> {
    Ok(first::<D, Cut<MAX>, COUNT>(deserializer)?.into_iter().map(|Cut(text)| text).collect())
}

/// Reads a text of at most `MAX` bytes; a longer one, or one with a NUL byte, is an error.
pub(crate) fn short<'de, D: Deserializer<'de>, const MAX: usize>(deserializer: D) -> Result<String, D::Error> {
    deserializer.deserialize_str(Text(|text: &str| match text.len() <= MAX {
        true if text.contains('\0') => Err("a text with a NUL byte".to_owned()),
        true => Ok(text.to_owned()),
        false => Err(format!("a text of {} bytes where at most {MAX} are taken", text.len())),
    }))
}

/// Reads a text of at most `MAX` bytes, or none.
pub(crate) fn short_optional<'de, D: Deserializer<'de>, const MAX: usize>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    Ok(Option::<Short<MAX>>::deserialize(deserializer)?.map(|Short(text)| text))
}

/// Reads texts of at most `MAX` bytes each.
pub(crate) fn short_texts<'de, D: Deserializer<'de>, const MAX: usize>(
    deserializer: D,
) -> Result<Vec<String>, D::Error> {
    Ok(Vec::<Short<MAX>>::deserialize(deserializer)?.into_iter().map(|Short(text)| text).collect())
}

/// Reads at most `COUNT` texts of any length, none of which has a NUL byte.
pub(crate) fn few_texts<'de, D: Deserializer<'de>, const COUNT: usize>(
    deserializer: D,
) -> Result<Vec<String>, D::Error> {
    Ok(few::<D, Short<{ usize::MAX }>, COUNT>(deserializer)?.into_iter().map(|Short(text)| text).collect())
}

/// Reads a list, and keeps its first `MAX` items.
pub(crate) fn first<'de, D, T, const MAX: usize>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_seq(List { max: MAX, is_cut: true, item: std::marker::PhantomData })
}

/// Reads a list of at most `MAX` items; a longer one is an error.
pub(crate) fn few<'de, D, T, const MAX: usize>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_seq(List { max: MAX, is_cut: false, item: std::marker::PhantomData })
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Cut<const MAX: usize>(#[serde(deserialize_with = "cut::<_, MAX>")] String);

#[derive(Deserialize)]
#[serde(transparent)]
struct Short<const MAX: usize>(#[serde(deserialize_with = "short::<_, MAX>")] String);

/// Reads a text without a copy of what is not kept.
struct Text<F>(F);

impl<F: Fn(&str) -> Result<String, String>> Visitor<'_> for Text<F> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        (self.0)(text).map_err(E::custom)
    }
}

struct List<T> {
    max: usize,
    /// Whether further items are dropped. Otherwise they are an error.
    is_cut: bool,
    item: std::marker::PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        let mut kept = Vec::new();
        while kept.len() < self.max {
            match items.next_element()? {
                Some(item) => kept.push(item),
                None => return Ok(kept),
            }
        }
        while items.next_element::<IgnoredAny>()?.is_some() {
            if !self.is_cut {
                return Err(A::Error::custom(format!("a list of more than {} items", self.max)));
            }
        }
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    use crate::{AggregateLine, Manifest, Problem, Sense};

    use super::*;

    #[test]
    fn what_is_compared_is_refused_when_it_is_too_long() {
        let long = "x".repeat(MAX_PATH_BYTES + 1);
        let entry = |path: &str, modified: &str, hash: &str| {
            let text = format!(
                r#"{{"version":"v","files":[{{"path":"{path}","size":1,"modified":"{modified}","hash":"{hash}"}}]}}"#
            );
            serde_json::from_str::<Manifest>(&text).map(drop).map_err(|error| error.to_string())
        };
        assert_eq!(entry(&long[1..], "2026-01-01T00:00:00Z", "blake3:00"), Ok(()));
        for (path, modified, hash) in [(&*long, "", ""), ("a", &long, ""), ("a", "", &long)] {
            let error = entry(path, modified, hash).unwrap_err();
            assert!(error.contains("a text of 4097 bytes where at most"), "{error}");
        }
        let sense = |version: &str| serde_json::from_str::<Sense>(&format!(r#"{{"status":1,"version":"{version}"}}"#));
        assert!(sense(&long).is_err() && sense("v").is_ok());
        let removed = format!(r#"{{"version":"v","files":[],"removed":["{long}"]}}"#);
        assert!(serde_json::from_str::<Manifest>(&removed).is_err());
        let formats = format!(r#"{{"version":"v","files":[],"formats":[{}{{}}]}}"#, "{},".repeat(MAX_FORMATS));
        let error = serde_json::from_str::<Manifest>(&formats).unwrap_err().to_string();
        assert!(error.contains("a list of more than 256 items"), "{error}");
    }

    /// PostgreSQL stores no NUL byte: the whole pass over the source failed.
    #[test]
    fn a_nul_byte_is_refused_or_shown() {
        let sense = serde_json::from_str::<Sense>(r#"{"status":1,"version":"v\u0000"}"#).unwrap_err().to_string();
        assert!(sense.contains("a text with a NUL byte"), "{sense}");
        let manifest =
            |entry: &str| serde_json::from_str::<Manifest>(&format!(r#"{{"version":"v","files":[{entry}]}}"#));
        for (hash, is_good) in [("blake3:00", true), ("blake3:\\u0000", false)] {
            let entry = format!(r#"{{"path":"a","size":1,"modified":"","hash":"{hash}"}}"#);
            assert_eq!(manifest(&entry).is_ok(), is_good, "{hash}");
        }
        let unreadable = r#"{"version":"v","files":[],"unreadable":[{"path":"a","error":"\u0000"}]}"#;
        let unreadable = serde_json::from_str::<Manifest>(unreadable).unwrap().unreadable.remove(0);
        assert_eq!(unreadable.error, "\u{2400}");
        let group = |text: &str| serde_json::from_str::<AggregateLine>(&format!(r#"{{"group":{text}}}"#)).is_ok();
        assert!(group(r#"[["a"],1,["1"]]"#) && !group(r#"[["a\u0000"],1,["1"]]"#));
    }

    #[test]
    fn what_people_read_is_cut() {
        let long = "é".repeat(MAX_TEXT_BYTES);
        let cut = cut_text(&long, MAX_TEXT_BYTES);
        assert_eq!((cut.len(), cut.chars().last()), (MAX_TEXT_BYTES + "…".len(), Some('…')));
        let left_out = format!(r#"{{"reason":"{long}","count":1,"example":"{long}"}},"#).repeat(200);
        let text = format!(
            r#"{{"version":"v","files":[],"unreadable":[{{"path":"a","error":"{long}"}}],"left_out":[{}]}}"#,
            left_out.trim_end_matches(',')
        );
        let manifest: Manifest = serde_json::from_str(&text).unwrap();
        assert_eq!((&manifest.unreadable[0].error, manifest.left_out.len()), (&cut, MAX_LEFT_OUT));
        assert_eq!((&manifest.left_out[0].reason, &manifest.left_out[0].example), (&cut, &cut));
        let problem: Problem =
            serde_json::from_str(&format!(r#"{{"title":"{long}","status":500,"detail":"{long}"}}"#)).unwrap();
        assert_eq!((problem.title, problem.detail), (cut.clone(), cut.clone()));
        let line = |text: String| serde_json::from_str::<AggregateLine>(&text).unwrap();
        let rejected = AggregateLine::Rejected { line: 1, reason: cut.clone(), raw: cut.clone() };
        assert_eq!(line(format!(r#"{{"rejected":{{"line":1,"reason":"{long}","raw":"{long}"}}}}"#)), rejected);
        let failed = AggregateLine::Failed { detail: cut.clone() };
        assert_eq!(line(format!(r#"{{"failed":{{"detail":"{long}"}}}}"#)), failed);
        let reject = format!(r#"{{"line":1,"byte":1,"reason":"{long}","raw":"{long}"}}"#);
        let head = format!(
            r#"{{"partial":{{"rows":1,"passed_over":0,"rejected":1,"rejects":[{reject}],"notes":["{long}"],"format":"{long}","groups":0}}}}"#
        );
        let AggregateLine::Partial(head) = line(head) else { panic!("it is a partial") };
        let short = cut_text(&long, MAX_REJECT_BYTES);
        assert_eq!((&head.rejects[0].reason, &head.rejects[0].raw), (&short, &short), "a file has a thousand of them");
        assert_eq!((&head.notes[0], head.format.as_ref()), (&cut, Some(&cut)));
    }
}
