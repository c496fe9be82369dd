//! The dialect of a file: packing, encoding, line ends, delimiter, quoting. `survey` and `sniff` detect it; this module
//! only describes it, and validates the parts that people set.

use tributary_formats::Packing;

use crate::{Error, Quote, Settings, charset::Charset};

/// The dialect of a file, as detected or as set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dialect {
    /// Name of the encoding in the WHATWG Encoding Standard, such as `UTF-8`, or of a code page of DOS, such as `IBM437`.
    pub encoding: &'static str,
    /// The reason for that encoding.
    pub encoding_evidence: Evidence,
    /// Whether the file was joined from several ones: lines that are valid UTF-8 are UTF-8, and `encoding` is that of
    /// the others.
    pub keeps_utf8_lines: bool,
    /// The text between two fields; never empty.
    pub delimiter: String,
    /// The quote character.
    pub quote: Quote,
    /// The byte that makes the next one plain text inside quotes, if there is one.
    pub escape: Option<u8>,
    /// The line end.
    pub line_end: LineEnd,
    /// The file's compression.
    pub packing: Packing,
    /// Lines before the header that were skipped: as set, and one that names the delimiter (`sep=;`).
    pub skipped_lines: u64,
    /// Whether blanks between delimiters and quotes are skipped.
    pub blanks_around_quotes: bool,
    /// Whether rows, or the header alone, end in a delimiter that means nothing.
    pub trailing_delimiter: bool,
    /// Whether lines end with CR and LF, and an LF alone is text.
    pub bare_line_feeds: bool,
    /// Whether it is a sheet of a workbook, whose text has no encoding and no delimiter of its own.
    pub is_sheet: bool,
}

/// The reason for an encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Evidence {
    /// The settings name it.
    Set,
    /// The file begins with a byte order mark.
    Marked,
    /// The file begins like UTF-16: every second byte is NUL.
    Utf16,
    /// All but a few lines are valid UTF-8.
    Utf8,
    /// The bytes look like it.
    Guessed {
        /// The number of lines that are not UTF-8, and so were the basis of the guess.
        lines: u64,
        /// Whether they were enough to tell the encoding from others. If not, windows-1252 may only be the most common
        /// one.
        confident: bool,
    },
}

/// The end of a physical line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnd {
    /// LF, with or without a CR before it.
    Lf,
    /// A lone CR, in files whose first line ends with one.
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

/// The validated part of [`Settings`] that people type.
#[derive(Debug)]
pub(crate) struct CheckedSettings {
    pub(crate) encoding: Option<Charset>,
    pub(crate) delimiter: Option<String>,
    pub(crate) quote: Quote,
    pub(crate) escape: Option<u8>,
}

impl CheckedSettings {
    /// # Errors
    /// [`Error::Settings`] if a setting cannot work for any file.
    pub(crate) fn check(settings: &Settings) -> Result<Self, Error> {
        let quote = settings.quote.unwrap_or(Quote::Char(b'"'));
        let checked = Self {
            encoding: settings.encoding.as_deref().map(encoding).transpose()?,
            delimiter: settings.delimiter.clone(),
            quote,
            // A quote that escapes itself is a doubled quote, which works without a setting.
            escape: settings.escape.filter(|escape| quote.byte() != Some(*escape)),
        };
        for (what, byte) in [("quote", quote.byte()), ("escape", checked.escape)] {
            if let Some(byte) = byte.filter(|byte| !byte.is_ascii() || b"\0\r\n".contains(byte)) {
                return Err(Error::Settings(format!(
                    "{what} {byte:#04x} cannot be used: choose an ASCII character other than NUL, CR and LF"
                )));
            }
        }
        checked.check_delimiter()?;
        settings.check_lines()?;
        Ok(checked)
    }

    fn check_delimiter(&self) -> Result<(), Error> {
        let Some(delimiter) = &self.delimiter else { return Ok(()) };
        let taken = [self.quote.byte(), self.escape, Some(b'\r'), Some(b'\n'), Some(0)];
        if delimiter.is_empty() || delimiter.bytes().any(|byte| taken.contains(&Some(byte))) {
            return Err(Error::Settings(format!(
                "delimiter {delimiter:?} cannot be used: it must not be empty or contain a NUL byte, a line end, the \
                 quote or the escape"
            )));
        }
        Ok(())
    }
}

impl Settings {
    /// Checks the settings that people type.
    ///
    /// # Errors
    /// [`Error::Settings`] if they cannot work for any file.
    pub fn check(&self) -> Result<(), Error> {
        CheckedSettings::check(self).map(drop)
    }
}

fn encoding(label: &str) -> Result<Charset, Error> {
    Charset::for_label(label).ok_or_else(|| {
        Error::Settings(format!(
            "unknown encoding `{label}`: use a label such as UTF-8, windows-1252 or Shift_JIS, `macintosh` for old Macs, \
             or cp437, cp850, cp852, cp858 or ibm866 for DOS"
        ))
    })
}

impl Dialect {
    /// The encoding that a row of invalid bytes violates.
    pub(crate) fn violated_encoding(&self) -> &'static str {
        if self.keeps_utf8_lines { Charset::UTF_8.name() } else { self.encoding }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_work_say_so() {
        let check = |settings: Settings, expect: &str| {
            let error = CheckedSettings::check(&settings).expect_err("these settings cannot work").to_string();
            assert!(error.contains(expect), "{error} lacks {expect}");
        };
        let set = Settings::default;
        check(Settings { encoding: Some("klingon".into()), ..set() }, "unknown encoding `klingon`");
        check(Settings { encoding: Some("klingon".into()), ..set() }, "cp850");
        check(Settings { delimiter: Some(String::new()), ..set() }, "delimiter \"\"");
        check(Settings { delimiter: Some("\"".into()), ..set() }, "delimiter \"\\\"\"");
        check(Settings { delimiter: Some("a\n".into()), ..set() }, "delimiter");
        check(Settings { delimiter: Some("\\".into()), escape: Some(b'\\'), ..set() }, "delimiter");
        check(Settings { quote: Some(Quote::Char(b'\n')), ..set() }, "quote 0x0a");
        check(Settings { escape: Some(0xff), ..set() }, "escape 0xff");
        assert_eq!(
            CheckedSettings::check(&Settings { escape: Some(b'"'), ..set() })
                .expect("a quote may escape itself")
                .escape,
            None
        );
    }
}
