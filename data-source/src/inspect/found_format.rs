//! The format that a file was read by, to be pasted.

use tributary_csv_gate::{Dialect, Quote};
use tributary_protocol::FormatSpec;

use super::{Findings, InspectArgs};

/// Returns the settings that read the file in the same way: those that were set, and what was detected.
pub(super) fn found_format(args: &InspectArgs, spec: &FormatSpec, findings: &Findings) -> FormatSpec {
    let dialect = findings.table.dialect();
    let skip_rows = Some(dialect.skipped_lines).filter(|lines| *lines > 0);
    // Of a sheet only the lines above its header are detected.
    let of_text = if spec.sheet.is_none() { of_text(dialect) } else { FormatSpec::default() };
    let name = args.file.file_name().map(|name| pattern(&name.to_string_lossy()));
    let spec = if of_text.quote.is_some() { without_quotes(spec) } else { spec.clone() };
    FormatSpec { files: name.into_iter().collect(), ..spec }.or(FormatSpec { skip_rows, ..of_text })
}

/// The settings without those that mean nothing once there are no quotes. A format that sets them is refused.
fn without_quotes(spec: &FormatSpec) -> FormatSpec {
    FormatSpec { quotes: None, escapes: None, ..spec.clone() }
}

/// The settings of the text. Quotes around fields are left out, and so is an escape in them: they are found again. Once they
/// are set, stray quotes are no longer told from others, and a backslash goes from in front of any character.
fn of_text(dialect: &Dialect) -> FormatSpec {
    let is_unquoted = dialect.quote == Quote::None;
    FormatSpec {
        // Set for the whole file, an encoding would be used for its UTF-8 lines too.
        encoding: (!dialect.keeps_utf8_lines).then(|| dialect.encoding.to_owned()),
        delimiter: Some(dialect.delimiter.clone()),
        quote: is_unquoted.then(String::new),
        escape: dialect.escape.filter(|_| is_unquoted).map(|escape| char::from(escape).to_string()),
        ..FormatSpec::default()
    }
}

/// The pattern that matches this name alone, in whichever folder: nobody says which one is served.
pub(super) fn pattern(name: &str) -> String {
    let mut pattern = "**/".to_owned();
    for letter in name.chars() {
        match letter {
            '*' | '?' | '[' | ']' => pattern.extend(['[', letter, ']']),
            letter => pattern.push(letter),
        }
    }
    pattern
}
