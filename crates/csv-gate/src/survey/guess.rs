//! Guesses the encoding of lines that are not UTF-8.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, WINDOWS_1250, WINDOWS_1252};

use super::western::Western;

/// Most bytes of lines that the guesser sees: it is slow, and its answer no longer changes after so many.
const MAX_GUESS_BYTES: usize = 64 << 10;

/// A guessed encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Guess {
    pub(crate) encoding: &'static Encoding,
    /// The number of lines that are not UTF-8.
    pub(crate) lines: u64,
    /// Whether the lines hold enough words to tell encodings apart.
    pub(crate) confident: bool,
}

/// Collects the evidence.
pub(super) struct Guesser {
    detector: EncodingDetector,
    western: Western,
    lines: u64,
    bytes: usize,
}

impl Default for Guesser {
    fn default() -> Self {
        Self {
            detector: EncodingDetector::new(Iso2022JpDetection::Deny),
            western: Western::default(),
            lines: 0,
            bytes: 0,
        }
    }
}

impl Guesser {
    /// Takes a line that is not UTF-8.
    pub(super) fn feed(&mut self, line: &[u8]) {
        self.lines += 1;
        let seen = &line[..line.len().min(MAX_GUESS_BYTES - self.bytes)];
        if seen.is_empty() {
            return;
        }
        self.bytes += seen.len();
        self.detector.feed(seen, false);
        self.western.feed(seen);
    }

    /// Guesses the encoding of the lines. `beside_utf8`: other lines are UTF-8. Broken bytes among them are more likely
    /// than a few words of an encoding with several bytes to a character.
    pub(super) fn finish(mut self, beside_utf8: bool) -> Guess {
        self.detector.feed(b"", true);
        let mut detected = self.detector.guess(None, Utf8Detection::Deny);
        let western = &self.western;
        if beside_utf8 && western.is_single_bytes() && !detected.is_single_byte() {
            detected = WINDOWS_1252;
        }
        let encoding = match detected {
            _ if western.explains_few_words() => WINDOWS_1252,
            _ if detected == WINDOWS_1252 && western.is_hungarian() => WINDOWS_1250,
            detected => detected,
        };
        let is_doubtful = encoding != detected || (encoding == WINDOWS_1252 && !western.is_plausible());
        Guess { encoding, lines: self.lines, confident: !is_doubtful && western.has_many_words() }
    }
}

#[cfg(test)]
mod tests;
