//! The Python interpreter that runs peers, and their packages.

use std::process::{Command, Output, Stdio};

/// An interpreter that has the packages.
pub(super) struct Python {
    /// The interpreter itself. The program on the `PATH` may be a script that looks for it, which would slow the peers.
    pub(super) interpreter: String,
    /// Name and version of the interpreter and of each package.
    pub(super) versions: Vec<String>,
}

impl Python {
    /// Looks for all packages in this Python.
    ///
    /// # Errors
    /// Something is missing. The error is the commands that install it.
    pub(super) fn find(python: &str, packages: &[&str]) -> Result<Self, Vec<String>> {
        let ask = "import sys; print(sys.executable); print(sys.version.split()[0])";
        let printed = output(Command::new(python).args(["-c", ask]));
        let Some((interpreter, version)) = printed.as_deref().and_then(|printed| printed.split_once('\n')) else {
            let python = "`apt-get install python3 python3-pip` (or choose a Python with --python)".to_owned();
            return Err(vec![python, format!("`python3 -m pip install {}`", packages.join(" "))]);
        };
        let mut versions = vec![format!("Python {version}")];
        let mut missing = Vec::new();
        for package in packages {
            let ask = format!("import {package}; print({package}.__version__)");
            match self::version(Command::new(interpreter).args(["-c", &ask])) {
                Some(version) => versions.push(format!("{package} {version}")),
                None => missing.push(*package),
            }
        }
        if missing.is_empty() {
            Ok(Self { interpreter: interpreter.to_owned(), versions })
        } else {
            Err(vec![format!("`{interpreter} -m pip install {}`", missing.join(" "))])
        }
    }
}

/// The first word that a program prints, if it exists and succeeds.
pub(super) fn version(command: &mut Command) -> Option<String> {
    output(command)?.split_whitespace().next().map(str::to_owned)
}

fn output(command: &mut Command) -> Option<String> {
    let Output { status, stdout, .. } = command.stdin(Stdio::null()).output().ok()?;
    Some(String::from_utf8(stdout).ok().filter(|_| status.success())?.trim().to_owned())
}
