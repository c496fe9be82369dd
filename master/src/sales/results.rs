//! The folder of results: a file of totals for each stream, as a whole or not at all.

use std::{
    fs::{self, File},
    io,
    path::PathBuf,
};

use tributary_sales::Sales;
use uuid::Uuid;

/// The end of the name of a file that is being written.
const PART: &str = ".part";

/// The folder. Each stream has one file in it, which is named by the stream.
#[derive(Debug, Clone)]
pub(super) struct Results {
    folder: PathBuf,
}

impl Results {
    /// Makes the folder, and removes what was being written when an earlier master died.
    ///
    /// # Errors
    /// Those of the system.
    pub(super) fn new(folder: PathBuf) -> io::Result<Self> {
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
        let (part, name) = (self.folder.join(format!(".{id}{PART}")), format!("{id}.csv"));
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
}

fn write(part: &PathBuf, sales: &Sales) -> io::Result<()> {
    let file = File::create_new(part)?;
    sales.write(&file)?;
    file.sync_all()
}
