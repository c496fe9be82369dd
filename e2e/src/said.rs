//! Reads what a running program says.

use std::{
    io::{BufRead, BufReader},
    process::Child,
};

/// Reads the lines of a running program's stderr, which is piped, up to the first that contains `part`.
///
/// # Panics
/// The program ends before.
#[must_use]
pub fn said(child: &mut Child, part: &str) -> String {
    let mut lines = Vec::new();
    for line in BufReader::new(child.stderr.as_mut().expect("stderr is piped")).lines().map_while(Result::ok) {
        if line.contains(part) {
            return line;
        }
        lines.push(line);
    }
    panic!("no line contains {part:?}: {lines:?}")
}
