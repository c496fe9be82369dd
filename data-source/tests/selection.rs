//! Which files are served, and what is said about the others.

use crate::support::{Source, wait_for};

#[test]
fn only_selected_files_are_served() {
    let files = [("a.csv", "1"), ("b.csv", "2"), ("sub/a.csv", "3"), ("old/a.csv", "4")];
    let source = Source::with(&files, &["--settle", "20ms", "--include", "**/a*", "--exclude", "old/**"]);
    assert_eq!(source.paths(), ["a.csv", "sub/a.csv"]);
    assert_eq!(source.get("/read/b.csv").status.as_u16(), 404);
    for path in ["old/a2.csv", "c.csv", "sub/a2.csv"] {
        source.write(path, b"5");
    }
    wait_for("a new file", || source.paths() == ["a.csv", "sub/a.csv", "sub/a2.csv"]);
}
