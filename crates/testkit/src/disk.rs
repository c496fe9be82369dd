//! A disk that is soon full: a small file system in memory, which only root can mount.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
};

/// A mounted file system. It goes when this is dropped.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one of so many megabytes in this folder, which exists.
    ///
    /// # Errors
    /// This user may not.
    pub fn mount(folder: &Path, megabytes: u32) -> io::Result<Self> {
        let size = format!("size={megabytes}m");
        let output = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "small"]).arg(folder).output()?;
        if output.status.success() {
            return Ok(Self(folder.to_owned()));
        }
        Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
    }

    /// Its folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Leaves no byte free on the disk of a folder. Returns the file to delete for them.
///
/// # Errors
/// The file cannot be made.
pub fn fill(folder: &Path) -> io::Result<PathBuf> {
    let path = folder.join("filler");
    let mut file = fs::File::create(&path)?;
    for piece in [1 << 20, 64 << 10, 4 << 10, 1] {
        while file.write_all(&vec![0; piece]).is_ok() {}
    }
    Ok(path)
}
