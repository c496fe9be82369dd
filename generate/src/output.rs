//! Where the bytes go: a file that is put in place as a whole, or stdout, a pipe or a device as they are.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process,
};

use anyhow::{Context, Result, ensure};

use crate::cli::FileArgs;

/// Where bytes go. A file that is not [finished](Output::finish) is taken away again.
pub(crate) enum Output {
    Stdout(io::Stdout),
    /// A pipe or a device, which nothing may be put in place of.
    Special(File),
    File(Unfinished),
}

impl Output {
    /// The place that `--out` names.
    ///
    /// # Errors
    /// It is a folder, or no file can be made there.
    pub(crate) fn open(file: &FileArgs) -> Result<Self> {
        let out = &file.out;
        if file.is_stdout() {
            return Ok(Self::Stdout(io::stdout()));
        }
        let failed = || format!("failed to make {}", out.display());
        match fs::metadata(out) {
            Ok(there) if there.is_file() => {
                // Of a link, the file that it names is replaced.
                Ok(Self::File(Unfinished::create(&out.canonicalize().with_context(failed)?).with_context(failed)?))
            }
            Ok(there) => {
                ensure!(!there.is_dir(), "{} is a folder; name a file", out.display());
                Ok(Self::Special(File::options().write(true).open(out).with_context(failed)?))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(Self::File(Unfinished::create(out).with_context(failed)?))
            }
            Err(error) => Err(error).with_context(failed),
        }
    }

    /// The temporary file, if there is one.
    pub(crate) fn part(&self) -> Option<PathBuf> {
        match self {
            Self::File(file) => Some(file.part.clone()),
            Self::Stdout(_) | Self::Special(_) => None,
        }
    }

    /// Puts the file in place, once the disk holds all of it.
    pub(crate) fn finish(self) -> io::Result<()> {
        match self {
            Self::Stdout(mut stdout) => stdout.flush(),
            Self::Special(_) => Ok(()),
            Self::File(file) => file.finish(),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(stdout) => stdout.write(bytes),
            Self::Special(file) => file.write(bytes),
            Self::File(file) => file.file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Self::Stdout(stdout) = self { stdout.flush() } else { Ok(()) }
    }
}

/// A file under a temporary name beside its own, which sources never offer.
pub(crate) struct Unfinished {
    file: File,
    part: PathBuf,
    path: PathBuf,
    is_finished: bool,
}

impl Unfinished {
    fn create(path: &Path) -> io::Result<Self> {
        let mut part = path.as_os_str().to_owned();
        // Two programs that write one file do not write into each other's.
        part.push(format!(".{}", process::id()));
        let part = tributary_formats::unfinished(Path::new(&part));
        Ok(Self { file: File::create(&part)?, part, path: path.to_owned(), is_finished: false })
    }

    fn finish(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.part, &self.path)?;
        self.is_finished = true;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_finished {
            // There is nobody left to tell.
            let _ = fs::remove_file(&self.part);
        }
    }
}
