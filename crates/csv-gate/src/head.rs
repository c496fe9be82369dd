//! The look at the beginning of a file that is read in one pass: what must be known before it can be split. The rules
//! are those of `survey`, which goes on beside the splitting.

use std::io::Read;

use encoding_rs::UTF_8;

use crate::{
    Error,
    dialect::Told,
    survey::{Findings, Survey},
    unpack::Unpacked,
};

/// How many slices are looked at for a line end: 1 MiB in all.
pub(crate) const HEAD_SLICES: usize = 4;

/// What the beginning says.
pub(crate) struct Head {
    pub(crate) found: Findings,
    /// UTF-8 is an assumption that this survey has to check: it is shown the whole file, the beginning included.
    pub(crate) check: Option<Survey>,
}

/// Looks at the first slices of `chunk` bytes, as few as will do, and gives them back to `source`.
///
/// # Errors
/// [`Error::Misjudged`] if they hold no line end outside quotes, or are not UTF-8; else as for reading.
pub(crate) fn look<R: Read>(source: &mut Unpacked<R>, told: &Told, chunk: usize) -> Result<Head, Error> {
    let new_survey = || Survey::new(told.encoding, told.quote.byte());
    let (mut survey, mut bytes, mut slice) = (new_survey(), Vec::new(), vec![0; chunk]);
    for _ in 0..HEAD_SLICES {
        let len = source.fill(&mut slice)?;
        bytes.extend_from_slice(&slice[..len]);
        survey.update(&slice[..len]);
        if len < chunk || survey.is_settled() {
            source.give_back(bytes);
            return Ok(Head { found: survey.finish(), check: None });
        }
        if let Some(line_end) = survey.line_end() {
            if !survey.is_utf8() {
                break;
            }
            source.give_back(bytes);
            let found = Findings { encoding: UTF_8, bom_len: 0, line_end };
            return Ok(Head { found, check: Some(new_survey()) });
        }
    }
    Err(Error::Misjudged)
}
