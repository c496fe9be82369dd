//! The folder of results: a file of totals for each stream, as a whole or not at all.

use std::{
    fs::{self, File},
    io,
    path::PathBuf,
};

use anyhow::Context;
use tributary_config::Config;
use tributary_sales::Sales;
use uuid::Uuid;

/// The end of the name of a file that is being written.
const PART: &str = ".part";
/// The end of the name of a whole one.
const CSV: &str = ".csv";

/// The folder. Each stream has one file in it, which is named by the stream.
#[derive(Debug, Clone)]
pub(crate) struct Results {
    folder: PathBuf,
}

impl Results {
    /// Makes the folder, and removes what was being written when an earlier master died.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub(crate) fn open(config: &Config) -> anyhow::Result<Self> {
        let folder = config.grpc.results(&config.database);
        let failed = || format!("failed to make the folder of results {}; see --results-dir", folder.display());
        Self::new(folder.clone()).with_context(failed)
    }

    fn new(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let id = name.strip_prefix('.').and_then(|name| name.strip_suffix(PART));
            if id.is_some_and(|id| Uuid::try_parse(id).is_ok()) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(Self { folder })
    }

    /// Writes the totals to a new file, and returns its name.
    ///
    /// # Errors
    /// Those of the system; then there is no file.
    pub(super) fn write(&self, id: Uuid, sales: &Sales) -> io::Result<String> {
        let (part, name) = (self.folder.join(format!(".{id}{PART}")), name(id));
        let written = write(&part, sales).and_then(|()| fs::rename(&part, self.folder.join(&name)));
        if let Err(error) = written {
            // What cannot be removed now is removed by the next start.
            let _ = fs::remove_file(&part);
            return Err(error);
        }
        // So that the name is there after a power cut, too.
        File::open(&self.folder)?.sync_all()?;
        Ok(name)
    }

    /// Opens the totals with this name; None if there are none. Nothing else in the folder can be opened.
    ///
    /// # Errors
    /// Those of the system.
    pub(super) fn read(&self, name: &str) -> io::Result<Option<File>> {
        let id = name.strip_suffix(CSV).and_then(|id| Uuid::try_parse(id).ok());
        let Some(name) = id.map(self::name).filter(|own| own == name) else { return Ok(None) };
        match File::open(self.folder.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some),
        }
    }
}

/// The name of the file of a stream.
pub(super) fn name(id: Uuid) -> String {
    format!("{id}{CSV}")
}

fn write(part: &PathBuf, sales: &Sales) -> io::Result<()> {
    let file = File::create_new(part)?;
    sales.write(&file)?;
    file.sync_all()
}
