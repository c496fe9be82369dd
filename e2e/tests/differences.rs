//! Mutated files, read by the gate and by readers that share no code with it: Python's csv and, if this Python has it,
//! DuckDB. Every difference must have an explanation.

use std::{env, path::Path, process::Command};

use tributary_testkit::process;

#[test]
fn differences_to_other_readers_are_explained() {
    /// Enough to meet each kind of difference several times.
    const FILES: &str = "300";
    let python = env::var_os("TRIBUTARY_E2E_PYTHON").unwrap_or_else(|| "python3".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/differences.py");
    let program = process::command("data-source", Path::new("."));
    let output =
        Command::new(python).arg(script).arg(program.get_program()).arg(FILES).output().expect("Python starts");
    assert!(output.status.success(), "{}{}", process::stdout(&output), process::stderr(&output));
}
