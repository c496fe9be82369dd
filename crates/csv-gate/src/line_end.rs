//! Detects the line ends of a file, as part of the first pass. It ignores the content of the lines.

use encoding_rs::{CoderResult, Decoder, Encoding};
use memchr::memchr3;

use crate::LineEnd;

/// Finds the first line end outside quotes, which decides for the whole file. If any line feed counted, one stray byte
/// at the end of a file from an old Mac would turn the file into a single line.
pub(crate) struct LineEndSearch {
    found: Option<LineEnd>,
    quote: Option<u8>,
    /// The scan has stopped inside quotes.
    quoted: bool,
    /// The scan has stopped after one or more CRs: the next byte decides.
    after_cr: bool,
    /// Set for encodings in which the byte 0A may be part of another character.
    decoder: Option<Decoder>,
}

impl LineEndSearch {
    pub(crate) fn new(encoding: &'static Encoding, quote: Option<u8>) -> Self {
        let decoder = (!encoding.is_ascii_compatible()).then(|| encoding.new_decoder_without_bom_handling());
        Self { found: None, quote, quoted: false, after_cr: false, decoder }
    }

    pub(crate) fn update(&mut self, slice: &[u8]) {
        let Some(mut decoder) = self.decoder.take() else { return self.scan(slice) };
        let mut text = [0; 4096];
        let mut rest = slice;
        while self.found.is_none() {
            let (result, read, written, _) = decoder.decode_to_utf8(rest, &mut text, false);
            self.scan(&text[..written]);
            rest = &rest[read..];
            if result == CoderResult::InputEmpty {
                break;
            }
        }
        self.decoder = Some(decoder);
    }

    fn scan(&mut self, text: &[u8]) {
        let quote = self.quote.unwrap_or(b'\n');
        let mut rest = text;
        while self.found.is_none() && !self.after_cr {
            let Some(at) = memchr3(b'\r', b'\n', quote, rest) else { return };
            let byte = rest[at];
            rest = &rest[at + 1..];
            match byte {
                b'\r' if !self.quoted => self.after_cr = true,
                b'\n' if !self.quoted => self.found = Some(LineEnd::Lf),
                // A doubled quote toggles twice, so it changes nothing.
                byte if self.quote == Some(byte) => self.quoted = !self.quoted,
                _ => {}
            }
        }
        if self.found.is_none() {
            // Text mode turns CRLF into CR CR LF, so all CRs before an LF belong to the line end.
            self.found = rest.iter().find(|byte| **byte != b'\r').map(|byte| match byte {
                b'\n' => LineEnd::Lf,
                _ => LineEnd::Cr,
            });
        }
    }

    pub(crate) fn found(&self) -> Option<LineEnd> {
        self.found
    }

    pub(crate) fn line_end(&self) -> LineEnd {
        self.found.unwrap_or(if self.after_cr { LineEnd::Cr } else { LineEnd::Lf })
    }
}

/// The first line of a text, without its line end of any kind.
pub(crate) fn first_line(text: &[u8]) -> &[u8] {
    text.split(|byte| b"\r\n".contains(byte)).next().unwrap_or_default()
}
