//! Streamlit, which people use for dashboards like `/`. It has a Python of its own below `target`, because it wants older packages than the
//! other peers.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use tributary_testkit::http;

use crate::{
    bench::{running::fresh, waiting::until},
    services::free_port,
    workspace::{root, run},
};

/// The package that is installed.
const PACKAGE: &str = "streamlit==1.67.0";
/// The same, for people.
pub(super) const VERSION: &str = "streamlit 1.67.0";

/// Streamlit, installed.
pub(super) struct Streamlit {
    python: PathBuf,
}

/// A running dashboard. It ends when this is dropped.
pub(super) struct Dashboard {
    child: Child,
    pub(super) url: String,
}

impl Streamlit {
    /// Looks for Streamlit, and installs it first if `install` says so.
    pub(super) fn find(install: bool) -> Result<Self> {
        let folder = root().join("target/bench-streamlit");
        let python = folder.join("bin/python");
        if !is_installed(&python) {
            ensure!(install, "there is no {PACKAGE} in {}; add `--install`", folder.display());
            run(Command::new("python3").args(["-m", "venv"]).arg(&folder)).context("python3-venv may be missing")?;
            run(Command::new(&python).args(["-m", "pip", "install", "--quiet", PACKAGE]))?;
            ensure!(is_installed(&python), "pip has not installed {PACKAGE}");
        }
        Ok(Self { python })
    }

    /// Starts the dashboard, and waits until it answers.
    pub(super) fn start(&self, home: &Path) -> Result<Dashboard> {
        let folder = home.join("streamlit");
        fresh(&folder)?;
        fs::write(folder.join("dashboard.py"), include_str!("../peers/face_streamlit.py"))?;
        let port = free_port()?;
        let mut command = Command::new(&self.python);
        command.args([
            "-m",
            "streamlit",
            "run",
            "dashboard.py",
            "--server.address=127.0.0.1",
            "--server.headless=true",
        ]);
        command.arg(format!("--server.port={port}")).arg("--browser.gatherUsageStats=false");
        command.current_dir(&folder).env("HOME", &folder).stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.stderr(Stdio::null()).spawn().context("failed to start Streamlit")?;
        let mut dashboard = Dashboard { child, url: format!("http://127.0.0.1:{port}") };
        let health = format!("{}/_stcore/health", dashboard.url);
        until("Streamlit answers", Duration::from_millis(100), || {
            if let Some(status) = dashboard.child.try_wait()? {
                anyhow::bail!("Streamlit has ended ({status})");
            }
            Ok(http::get(&health).is_ok_and(|(status, _)| status == 200).then_some(()))
        })?;
        Ok(dashboard)
    }
}

fn is_installed(python: &Path) -> bool {
    let ask = "import importlib.metadata as m; print('streamlit==' + m.version('streamlit'))";
    let printed = Command::new(python).args(["-c", ask]).output();
    printed.is_ok_and(|printed| String::from_utf8_lossy(&printed.stdout).trim() == PACKAGE)
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
