//! Surveys the beginning of a file that is read in one pass, to learn what splitting requires. The rules are those of
//! `survey`, which continues while the file is split.

use std::io::Read;

use crate::{
    Error, Evidence,
    charset::Charset,
    dialect::CheckedSettings,
    survey::{Findings, Survey},
    unpack::Unpacked,
};

/// Most chunks that are searched for a line end: 1 MiB in total.
pub(crate) const MAX_HEAD_CHUNKS: usize = 4;

/// The findings about the beginning of a file.
pub(crate) struct Head {
    pub(crate) found: Findings,
    /// Set if UTF-8 is an assumption: this survey has to check the whole file, including the beginning.
    pub(crate) check: Option<Survey>,
}

/// Surveys as few chunks of `chunk` bytes as needed, and gives them back to `source`.
///
/// # Errors
/// [`Error::NeedsTwoPasses`] if they contain no line end outside quotes, or are not UTF-8; otherwise as for
/// [`Unpacked::read`].
pub(crate) fn survey_head<R: Read>(
    source: &mut Unpacked<R>,
    settings: &CheckedSettings,
    chunk: usize,
) -> Result<Head, Error> {
    let new_survey = || Survey::new(settings.encoding, settings.quote.byte());
    let (mut survey, mut bytes, mut slice) = (new_survey(), Vec::new(), vec![0; chunk]);
    for _ in 0..MAX_HEAD_CHUNKS {
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
            let found = Findings {
                encoding: Charset::UTF_8,
                evidence: Evidence::Utf8,
                keeps_utf8: false,
                bom_len: 0,
                line_end,
            };
            return Ok(Head { found, check: Some(new_survey()) });
        }
    }
    Err(Error::NeedsTwoPasses)
}
