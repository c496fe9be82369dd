//! Finds out what ends the lines of a file. Part of the first pass; what a line holds is not looked at.

use encoding_rs::{CoderResult, Decoder, Encoding};
use memchr::memchr3;

use crate::LineEnd;

/// Looks for the first line end of a text, one in quotes left out: it decides for all of them. A search for a line feed
/// anywhere would let one stray byte at the end of a file from an old Mac make a single line of all of it.
pub(crate) struct LineEndSearch {
    found: Option<LineEnd>,
    quote: Option<u8>,
    /// What was seen last lies in quotes.
    quoted: bool,
    /// One CR or several were the last that was seen: what follows decides.
    after_cr: bool,
    /// For encodings in which the byte 0A may be part of another character.
    decoder: Option<Decoder>,
}

impl LineEndSearch {
    pub(crate) fn new(encoding: &'static Encoding, quote: Option<u8>) -> Self {
        let decoder = (!encoding.is_ascii_compatible()).then(|| encoding.new_decoder_without_bom_handling());
        Self { found: None, quote, quoted: false, after_cr: false, decoder }
    }

    pub(crate) fn update(&mut self, slice: &[u8]) {
        let Some(mut decoder) = self.decoder.take() else { return self.look_at(slice) };
        let mut text = [0; 4096];
        let mut rest = slice;
        while self.found.is_none() {
            let (result, read, written, _) = decoder.decode_to_utf8(rest, &mut text, false);
            self.look_at(&text[..written]);
            rest = &rest[read..];
            if result == CoderResult::InputEmpty {
                break;
            }
        }
        self.decoder = Some(decoder);
    }

    fn look_at(&mut self, text: &[u8]) {
        let quote = self.quote.unwrap_or(b'\n');
        let mut rest = text;
        while self.found.is_none() && !self.after_cr {
            let Some(at) = memchr3(b'\r', b'\n', quote, rest) else { return };
            let byte = rest[at];
            rest = &rest[at + 1..];
            match byte {
                b'\r' if !self.quoted => self.after_cr = true,
                b'\n' if !self.quoted => self.found = Some(LineEnd::Lf),
                // A doubled quote opens and closes, which comes to nothing.
                byte if self.quote == Some(byte) => self.quoted = !self.quoted,
                _ => {}
            }
        }
        if self.found.is_none() {
            // Several CR before the LF are what a text mode makes of CRLF: they are its line end too.
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
