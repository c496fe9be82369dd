//! The Python of the tests.

use std::{env, path::Path, process::Command};

use tributary_testkit::process;

/// Runs a script in a folder, and returns what it prints.
///
/// # Panics
/// It fails.
#[must_use]
pub fn python(script: &str, arguments: &[&str], folder: &Path) -> String {
    let program = env::var_os("TRIBUTARY_E2E_PYTHON").expect("`cargo xtask services` sets TRIBUTARY_E2E_PYTHON");
    let output = Command::new(program).args(["-c", script]).args(arguments).current_dir(folder).output();
    let output = output.expect("Python runs");
    assert!(output.status.success(), "{arguments:?}: {}", process::stderr(&output));
    String::from_utf8(output.stdout).expect("it prints UTF-8")
}
