//! Says in words what the source does not offer.

use tributary_folder_watch::{LeftOutFiles, LeftOutReason};
use tributary_formats::ENDINGS_IN_WORDS;

/// Returns the reason in words, to follow the number of files.
pub(crate) fn in_words(reason: LeftOutReason) -> String {
    match reason {
        LeftOutReason::Ending => format!("not named {ENDINGS_IN_WORDS}"),
        LeftOutReason::Workbook => {
            "Excel workbooks, which are served where a format of --formats sets sheet = 1 or a name".to_owned()
        }
        LeftOutReason::Link => "links, which are not followed".to_owned(),
        LeftOutReason::Hidden => "hidden".to_owned(),
        LeftOutReason::Excluded => "not chosen by --include and --exclude".to_owned(),
        LeftOutReason::Owner => "owner files of office programs".to_owned(),
        LeftOutReason::Note => "texts for people".to_owned(),
        LeftOutReason::NotAFile => "no regular files".to_owned(),
        LeftOutReason::Name => "with names that are not UTF-8".to_owned(),
    }
}

/// Returns all that was left out, as one sentence.
pub(crate) fn sentence(left_out: &LeftOutFiles) -> String {
    if left_out.is_empty() {
        return "the folder is empty".to_owned();
    }
    let part = |(reason, count, example)| format!("{count} left out: {} (`{example}`)", in_words(reason));
    left_out.iter().map(part).collect::<Vec<_>>().join("; ")
}
