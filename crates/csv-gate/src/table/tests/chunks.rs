//! The size of chunks and the number of passes never show in the result, and no bytes make the gate panic.

use proptest::prelude::*;

use super::{almost_utf8, joined, nasty_bytes, see, see_once, settings, text};
use crate::{Error, Quote, Settings, head::MAX_HEAD_CHUNKS, line_end::LineEndSearch, survey::HEAD_BYTES};

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn how_the_bytes_arrive_does_not_show(
        bytes in nasty_bytes(), settings in settings(), drip in 1..8usize, chunk in 1..40usize
    ) {
        let whole = see(&bytes, &settings, usize::MAX, 1 << 20);
        prop_assert_eq!(&see(&bytes, &settings, drip, chunk), &whole);
        if let Ok(seen) = whole {
            prop_assert!(seen.rows.iter().all(|(_, fields)| fields.len() == seen.columns.len()));
            prop_assert!(seen.rows.is_sorted_by(|before, after| before.0 < after.0));
            prop_assert!(seen.rejects.is_sorted_by(|before, after| before.line <= after.line && before.byte < after.byte));
        }
    }

    #[test]
    fn all_detected_bytes_never_panic(
        bytes in prop_oneof![nasty_bytes(), joined(), prop::collection::vec(any::<u8>(), 0..300)], chunk in 1..120usize
    ) {
        let settings = Settings::default();
        prop_assert_eq!(see(&bytes, &settings, 3, chunk), see(&bytes, &settings, usize::MAX, 1 << 20));
    }
}

/// Whether the chunks that are surveyed before splitting contain a line end, or the whole file.
fn head_will_do(bytes: &[u8], settings: &Settings, chunk: usize) -> bool {
    let head = MAX_HEAD_CHUNKS * chunk;
    let mut lines = LineEndSearch::new(encoding_rs::UTF_8, settings.quote.unwrap_or(Quote::Char(b'"')).byte());
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    lines.update(&text[..text.len().min(head - (bytes.len() - text.len()).min(head))]);
    bytes.len() < head || (head >= HEAD_BYTES && lines.found().is_some())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_pass_gives_what_two_give_or_says_that_it_cannot(
        bytes in prop_oneof![nasty_bytes(), almost_utf8(), joined()], settings in settings(), detect in any::<[bool; 2]>(),
        drip in 1..8usize, chunk in 1..120usize
    ) {
        let mut settings = settings;
        let [detect_encoding, detect_delimiter] = detect;
        settings.encoding = settings.encoding.filter(|_| !detect_encoding);
        settings.delimiter = settings.delimiter.filter(|_| !detect_delimiter);
        let twice = see(&bytes, &settings, usize::MAX, chunk);
        let once = see_once(&bytes, &settings, drip, chunk);
        let whole = see_once(&bytes, &settings, usize::MAX, chunk);
        // Any error will do: which one comes first may depend on how early the end of the file is read.
        prop_assert_eq!(once.as_ref().ok(), whole.as_ref().ok());
        if std::str::from_utf8(&bytes).is_ok() && detect_encoding && head_will_do(&bytes, &settings, chunk) {
            prop_assert_eq!(&once.as_ref().map_err(text), &twice.as_ref().map_err(String::clone));
        }
        match once {
            Ok(seen) => prop_assert_eq!(Ok(seen), twice),
            Err(Error::Rejected(_) | Error::NeedsTwoPasses) => {}
            Err(error) => prop_assert!(false, "these readers do not fail: {error}"),
        }
    }
}
