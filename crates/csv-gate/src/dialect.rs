//! What was found out about a file: packing, encoding, line ends, delimiter, quoting. Finding out is `survey`'s and
//! `sniff`'s; here it is only written down, and checked where a person chose it.

use std::fmt;

use encoding_rs::{Encoding, UTF_8};

use crate::{Error, Quote, Settings};

/// How a file is written, as detected or as told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dialect {
    /// Name of the encoding in the WHATWG Encoding Standard, such as `UTF-8`.
    pub encoding: &'static str,
    /// What parts fields; never empty.
    pub delimiter: String,
    /// What quotes fields.
    pub quote: Quote,
    /// What makes the next byte plain text inside quotes, if anything.
    pub escape: Option<u8>,
    /// What ends lines.
    pub line_end: LineEnd,
    /// What the file is packed with.
    pub packing: Packing,
}

/// What ends a physical line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnd {
    /// LF, with or without a CR before it.
    Lf,
    /// A CR alone: only in files whose first line ends so.
    Cr,
}

impl LineEnd {
    pub(crate) fn byte(self) -> u8 {
        match self {
            Self::Lf => b'\n',
            Self::Cr => b'\r',
        }
    }
}

/// What a file is packed with, told by the end of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Nothing.
    None,
    /// `.gz`
    Gzip,
    /// `.zst`
    Zstd,
}

impl Packing {
    /// The packing that a file's name tells, any case.
    pub fn of(path: &str) -> Self {
        Self::split(path).1
    }

    /// A path in lower case without the ending of its packing, and that packing.
    pub(crate) fn split(path: &str) -> (String, Self) {
        let path = path.to_ascii_lowercase();
        for (ending, packing) in [(".gz", Self::Gzip), (".zst", Self::Zstd)] {
            if let Some(stem) = path.strip_suffix(ending) {
                return (stem.to_owned(), packing);
            }
        }
        (path, Self::None)
    }
}

impl fmt::Display for Packing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}

/// The part of [`Settings`] that people type, checked.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) encoding: Option<&'static Encoding>,
    pub(crate) delimiter: Option<String>,
    pub(crate) quote: Quote,
    pub(crate) escape: Option<u8>,
}

impl Told {
    /// # Errors
    /// [`Error::Settings`]: what was typed cannot work, whatever the file holds.
    pub(crate) fn check(settings: &Settings) -> Result<Self, Error> {
        let quote = settings.quote.unwrap_or(Quote::Char(b'"'));
        let told = Self {
            encoding: settings.encoding.as_deref().map(encoding).transpose()?,
            delimiter: settings.delimiter.clone(),
            quote,
            // A quote that escapes itself is a doubled quote, which needs no setting.
            escape: settings.escape.filter(|escape| quote.byte() != Some(*escape)),
        };
        for (what, byte) in [("quote", quote.byte()), ("escape", told.escape)] {
            if let Some(byte) = byte.filter(|byte| !byte.is_ascii() || b"\0\r\n".contains(byte)) {
                return Err(Error::Settings(format!(
                    "{what} {byte:#04x} cannot be used: choose an ASCII character that ends no line"
                )));
            }
        }
        told.check_delimiter()?;
        Ok(told)
    }

    fn check_delimiter(&self) -> Result<(), Error> {
        let Some(delimiter) = &self.delimiter else { return Ok(()) };
        let taken = [self.quote.byte(), self.escape, Some(b'\r'), Some(b'\n'), Some(0)];
        if delimiter.is_empty() || delimiter.bytes().any(|byte| taken.contains(&Some(byte))) {
            return Err(Error::Settings(format!(
                "delimiter {delimiter:?} cannot be used: it must not be empty, nor hold a line end, the \
                 quote or the escape"
            )));
        }
        Ok(())
    }
}

fn encoding(label: &str) -> Result<&'static Encoding, Error> {
    Encoding::for_label_no_replacement(label.as_bytes()).ok_or_else(|| {
        Error::Settings(format!(
            "unknown encoding `{label}`: give a label such as {}, windows-1252 or Shift_JIS",
            UTF_8.name()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_tells_the_packing() {
        let check = |path, stem: &str, packing| assert_eq!(Packing::split(path), (stem.to_owned(), packing));
        check("a.csv", "a.csv", Packing::None);
        check("a.CSV.GZ", "a.csv", Packing::Gzip);
        check("b/a.tsv.zst", "b/a.tsv", Packing::Zstd);
        check("gz", "gz", Packing::None);
    }

    #[test]
    fn settings_that_cannot_work_say_so() {
        let check = |settings: Settings, expect: &str| {
            let error = Told::check(&settings).expect_err("these settings cannot work").to_string();
            assert!(error.contains(expect), "{error} lacks {expect}");
        };
        let set = Settings::default;
        check(Settings { encoding: Some("klingon".into()), ..set() }, "unknown encoding `klingon`");
        check(Settings { delimiter: Some(String::new()), ..set() }, "delimiter \"\"");
        check(Settings { delimiter: Some("\"".into()), ..set() }, "delimiter \"\\\"\"");
        check(Settings { delimiter: Some("a\n".into()), ..set() }, "delimiter");
        check(Settings { delimiter: Some("\\".into()), escape: Some(b'\\'), ..set() }, "delimiter");
        check(Settings { quote: Some(Quote::Char(b'\n')), ..set() }, "quote 0x0a");
        check(Settings { escape: Some(0xff), ..set() }, "escape 0xff");
        assert_eq!(
            Told::check(&Settings { escape: Some(b'"'), ..set() }).expect("a quote may escape itself").escape,
            None
        );
    }
}
