//! A built program that draws a progress bar, on a terminal that takes one and on those that do not.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

use tributary_testkit::{process, terminal::OnTerminal};

#[test]
fn bars_are_drawn_only_where_the_cursor_may_be_moved() {
    let folder = tempfile::tempdir().unwrap();
    let is_drawn = |variable: &str, value: &str| {
        let mut command = process::command("generate", folder.path());
        command.args(["sales", "--rows", "200000", "--out", "sales.csv"]).env_remove("NO_COLOR").env("TERM", "xterm");
        let mut terminal = OnTerminal::start(command.env(variable, value), 80, 24);
        // To the end.
        let text = terminal.read_until(|_| false);
        assert!(terminal.child.wait().unwrap().success() && text.contains("sales.csv"), "{text}");
        text.contains('\u{1b}')
    };
    assert!(is_drawn("NO_COLOR", ""));
    assert!(!is_drawn("NO_COLOR", "1"));
    assert!(!is_drawn("TERM", "dumb"));
}
