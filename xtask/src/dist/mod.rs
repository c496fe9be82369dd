//! `cargo xtask dist`: what people install. It collects the programs and their files in a folder that is laid out like `/usr`, and makes a
//! Debian package and a plain archive of it, all below `target/dist`. It publishes nothing.

mod licences;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::workspace::{output, root, run};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The cargo profile of the programs; `dev` is for work on this task.
    #[arg(long, default_value = "release")]
    profile: String,
}

/// The programs that people run.
const PROGRAMS: [&str; 7] = ["data-source", "generate", "master", "publish", "readdb", "relay", "starter"];

/// The tool that makes the Debian package, from the same registry as the dependencies.
const CARGO_DEB: &str = "3.8.0";

/// Files of the repository, and where they belong.
const FILES: [(&str, &str); 7] = [
    ("README.md", "share/doc/tributary"),
    ("LICENSE-APACHE", "share/doc/tributary"),
    ("LICENSE-MIT", "share/doc/tributary"),
    ("packaging/tributary.toml", "share/doc/tributary"),
    ("packaging/tributary-master.service", "lib/systemd/system"),
    ("packaging/tributary-data-source@.service", "lib/systemd/system"),
    ("packaging/tributary.conf", "lib/sysusers.d"),
];

pub(crate) fn main(args: &Args) -> Result<()> {
    let dist = root().join("target/dist");
    let files = dist.join("files");
    if files.exists() {
        fs::remove_dir_all(&files).with_context(|| format!("failed to empty {}", files.display()))?;
    }
    collect(args, &files)?;
    let cargo_deb = cargo_deb()?;
    let mut deb = Command::new(cargo_deb);
    // Quiet, because it warns that it does not build what lies below `target`.
    deb.args(["deb", "--quiet", "--no-build", "--package", "tributary-packaging", "--output"]);
    run(deb.arg(&dist).current_dir(root()))?;
    let archive = archive(&dist, &files)?;
    println!("{}", archive.display());
    Ok(())
}

/// Builds the programs, and puts them and all that belongs to them into `files`.
fn collect(args: &Args, files: &Path) -> Result<()> {
    // One build, because several would enable other features of the dependencies and compile them again.
    let packages = PROGRAMS.iter().chain(&["packaging"]).map(|name| format!("--package=tributary-{name}"));
    run(cargo("build").args(["--bins", "--locked", "--profile", &args.profile]).args(packages))?;
    let built = built(&args.profile)?;
    run(Command::new(built.join("tributary-packaging")).arg(files))?;
    let bin = folder(files, "bin")?;
    for program in PROGRAMS {
        run(Command::new("strip").arg("-o").arg(bin.join(program)).arg(built.join(program)))?;
    }
    for (file, path) in FILES {
        let name = Path::new(file).file_name().context("a file has a name")?;
        let to = folder(files, path)?.join(name);
        fs::copy(root().join(file), &to).with_context(|| format!("failed to copy {file}"))?;
    }
    licences::write(&files.join("share/doc/tributary/LICENSES-OF-DEPENDENCIES"))
}

/// Packs the folder as `tributary-VERSION-ARCHITECTURE.tar.gz`. The same files make the same bytes.
fn archive(dist: &Path, files: &Path) -> Result<PathBuf> {
    let name = format!("tributary-{}-{}-linux", env!("CARGO_PKG_VERSION"), env::consts::ARCH);
    let path = dist.join(format!("{name}.tar.gz"));
    let time = output("git", &["log", "-1", "--format=%cI"])?;
    let mut tar = Command::new("tar");
    tar.args(["--create", "--gzip", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime", &time]);
    tar.arg("--transform").arg(format!("s,^\\.,{name},")).arg("--file").arg(&path);
    run(tar.arg("--directory").arg(files).arg("."))?;
    Ok(path)
}

/// cargo-deb, which is installed into `target/tools` if it is missing.
fn cargo_deb() -> Result<PathBuf> {
    let tools = root().join("target/tools").join(format!("cargo-deb-{CARGO_DEB}"));
    let program = tools.join("bin/cargo-deb");
    if !program.exists() {
        run(cargo("install").args(["cargo-deb", "--version", CARGO_DEB, "--locked", "--root"]).arg(&tools))?;
    }
    Ok(program)
}

/// The folder of the profile's programs. This program lies in such a folder too.
fn built(profile: &str) -> Result<PathBuf> {
    let ours = env::current_exe().context("failed to find this program")?;
    let target = ours.ancestors().nth(2).context("this program is not in a target folder")?;
    Ok(target.join(if profile == "dev" { "debug" } else { profile }))
}

fn cargo(task: &str) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.arg(task).current_dir(root());
    cargo
}

fn folder(files: &Path, path: &str) -> Result<PathBuf> {
    let path = files.join(path);
    fs::create_dir_all(&path).with_context(|| format!("failed to make {}", path.display()))?;
    Ok(path)
}

#[cfg(test)]
mod tests;
