//! Encodings by name: those of the WHATWG Encoding Standard, which `encoding_rs` has, and the code pages of DOS.

mod code_pages;

use encoding_rs::{Encoding, UTF_8};

use self::code_pages::{CP437, CP850, CP852, CP858};

/// An encoding that files are read in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Charset {
    /// One of the WHATWG Encoding Standard.
    Web(&'static Encoding),
    /// A code page of DOS.
    Dos(&'static CodePage),
}

/// A code page of DOS: ASCII in the lower half.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CodePage {
    /// The name in the IANA registry.
    name: &'static str,
    /// The names that people type, in lower case.
    labels: &'static [&'static str],
    /// The characters of the bytes from 0x80 on.
    high: [char; 128],
}

impl Charset {
    pub(crate) const UTF_8: Self = Self::Web(UTF_8);

    /// The encoding that has this label, in any case.
    pub(crate) fn for_label(label: &str) -> Option<Self> {
        let web = Encoding::for_label_no_replacement(label.as_bytes()).map(Self::Web);
        let wanted = label.trim().to_ascii_lowercase();
        let dos = || [&CP437, &CP850, &CP852, &CP858].into_iter().find(|page| page.labels.contains(&wanted.as_str()));
        web.or_else(|| dos().map(Self::Dos))
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Web(encoding) => encoding.name(),
            Self::Dos(page) => page.name,
        }
    }

    /// An encoding in which the ASCII characters have the same bytes.
    pub(crate) fn for_line_ends(self) -> &'static Encoding {
        match self {
            Self::Web(encoding) => encoding,
            Self::Dos(_) => UTF_8,
        }
    }
}

impl From<&'static Encoding> for Charset {
    fn from(encoding: &'static Encoding) -> Self {
        Self::Web(encoding)
    }
}

impl CodePage {
    /// Appends the text of `bytes` to `out`.
    pub(crate) fn decode(&self, bytes: &[u8], out: &mut String) {
        out.extend(bytes.iter().map(|byte| match byte.checked_sub(128) {
            None => char::from(*byte),
            Some(high) => self.high[usize::from(high)],
        }));
    }
}

#[cfg(test)]
mod tests;
