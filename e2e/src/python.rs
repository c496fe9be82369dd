//! The Python of the tests.

use std::{
    env,
    path::Path,
    process::{Child, Command, Stdio},
};

use tributary_testkit::process;

/// Runs a script in a folder, and returns what it prints.
///
/// # Panics
/// It fails.
#[must_use]
pub fn python(script: &str, arguments: &[&str], folder: &Path) -> String {
    let output = command(script, arguments).current_dir(folder).output();
    let output = output.expect("Python runs");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{arguments:?}: {printed}{}", process::stderr(&output));
    String::from_utf8(output.stdout).expect("it prints UTF-8")
}

/// A script that runs on, killed when this is dropped.
pub struct PythonProgram(pub Child);

impl PythonProgram {
    /// Starts a script, whose output is piped.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn start(script: &str, arguments: &[&str]) -> Self {
        Self::start_with(script, arguments, &[])
    }

    /// The same with environment variables.
    #[must_use]
    pub fn start_with(script: &str, arguments: &[&str], variables: &[(&str, String)]) -> Self {
        let mut command = command(script, arguments);
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        Self(command.env("PYTHONUNBUFFERED", "1").stdout(Stdio::piped()).spawn().expect("Python starts"))
    }
}

impl Drop for PythonProgram {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn command(script: &str, arguments: &[&str]) -> Command {
    let program = env::var_os("TRIBUTARY_E2E_PYTHON").expect("`cargo xtask services` sets TRIBUTARY_E2E_PYTHON");
    let mut command = Command::new(program);
    command.args(["-c", script]).args(arguments);
    command
}
