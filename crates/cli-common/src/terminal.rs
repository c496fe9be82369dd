//! Decides what a terminal may be sent beside text.

use std::{env, ffi::OsStr, io::IsTerminal};

/// Whether only text may be written: no colours, and no movements of the cursor. So it is without a terminal, on one that calls
/// itself `dumb`, and wherever the environment sets `NO_COLOR`.
#[must_use]
pub fn is_plain(stream: &impl IsTerminal) -> bool {
    let [no_color, term] = ["NO_COLOR", "TERM"].map(env::var_os);
    !stream.is_terminal() || forbids(no_color.as_deref(), term.as_deref())
}

/// Whether the environment forbids them. An empty `NO_COLOR` counts as not set, see no-color.org.
fn forbids(no_color: Option<&OsStr>, term: Option<&OsStr>) -> bool {
    no_color.is_some_and(|value| !value.is_empty()) || term.is_some_and(|name| name == "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_can_forbid_colours() {
        let check = |no_color: Option<&str>, term: Option<&str>, expect: bool| {
            assert_eq!(forbids(no_color.map(OsStr::new), term.map(OsStr::new)), expect, "{no_color:?} {term:?}");
        };
        check(None, Some("xterm-256color"), false);
        check(None, None, false);
        check(Some(""), Some("xterm"), false);
        check(Some("1"), Some("xterm"), true);
        check(Some("0"), None, true);
        check(None, Some("dumb"), true);
    }
}
