//! Converts bytes of one encoding to UTF-8, with a mark for each malformed sequence.

use encoding_rs::{Decoder, DecoderResult};

use super::{MIN_DECODE_ROOM, byte_table::ByteTable};
use crate::charset::Charset;

/// Replaces a malformed sequence in the decoded text. This byte never occurs in UTF-8, so the check for valid UTF-8
/// finds such rows in files of every encoding, and a genuine U+FFFD in a text is not an error.
pub(super) const MALFORMED: u8 = 0xff;

/// A decoder and the state that it keeps between pieces of a text.
pub(super) enum Transcoder {
    Bytes(Box<ByteTable>),
    Sequences(Decoder),
}

/// The progress of one call.
pub(super) struct Progress {
    /// Bytes taken from the raw text.
    pub(super) read: usize,
    /// Bytes put out.
    pub(super) written: usize,
    /// Whether all raw bytes were taken. Otherwise `out` is full.
    pub(super) is_done: bool,
}

impl Transcoder {
    pub(super) fn new(charset: Charset) -> Self {
        match charset.characters() {
            Some(characters) => Self::Bytes(Box::new(ByteTable::new(characters))),
            None => Self::Sequences(charset.for_line_ends().new_decoder_without_bom_handling()),
        }
    }

    /// Decodes until the raw bytes are used up or `out` is full. `last`: the text ends behind `raw`.
    pub(super) fn decode(&mut self, raw: &[u8], out: &mut [u8], last: bool) -> Progress {
        match self {
            Self::Bytes(table) => table.decode(raw, out),
            Self::Sequences(decoder) => decode(decoder, raw, out, last),
        }
    }
}

fn decode(decoder: &mut Decoder, raw: &[u8], out: &mut [u8], last: bool) -> Progress {
    let mut progress = Progress { read: 0, written: 0, is_done: false };
    loop {
        // Keeps one byte free, because a malformed sequence is reported only after the fact.
        let room = out.len() - 1;
        let (rest, room) = (&raw[progress.read..], &mut out[progress.written..room]);
        let (result, read, written) = decoder.decode_to_utf8_without_replacement(rest, room, last);
        progress.read += read;
        progress.written += written;
        match result {
            DecoderResult::InputEmpty => return Progress { is_done: true, ..progress },
            DecoderResult::OutputFull => return progress,
            DecoderResult::Malformed(..) => {
                out[progress.written] = MALFORMED;
                progress.written += 1;
                // A decoder without any room might still report the next malformed sequence.
                if progress.written + MIN_DECODE_ROOM / 2 > out.len() {
                    return progress;
                }
            }
        }
    }
}
