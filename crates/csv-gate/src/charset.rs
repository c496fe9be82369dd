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

    /// The character of each byte, if each byte is one. Some bytes may have none.
    pub(crate) fn characters(self) -> Option<[Option<char>; 256]> {
        let bytes: [u8; 256] = std::array::from_fn(|byte| byte as u8);
        match self {
            Self::Web(encoding) if encoding.is_single_byte() => Some(bytes.map(|byte| {
                let text = encoding.decode_without_bom_handling_and_without_replacement(std::slice::from_ref(&byte));
                text.and_then(|text| text.chars().next())
            })),
            Self::Web(_) => None,
            Self::Dos(page) => Some(bytes.map(|byte| match byte.checked_sub(128) {
                None => Some(char::from(byte)),
                Some(high) => Some(page.high[usize::from(high)]),
            })),
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

#[cfg(test)]
mod tests;
