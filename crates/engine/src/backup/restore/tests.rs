//! Restores that were broken off at each step, and backups that must be refused.

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use tempfile::TempDir;
use tributary_store::{DocumentRow, DocumentState, EditRow, Place};

use super::*;
use crate::backup::{
    archive::{ArchiveWriter, DATABASE},
    backup,
};

const ID: &str = "0000000000000000000000000000000a";

struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn url(&self, name: &str) -> DatabaseUrl {
        self.path(name).to_str().unwrap().parse().unwrap()
    }

    /// Saves a database with an edit and a document as `saved`.
    fn saved(&self, saved: &str) -> PathBuf {
        let mut store = Store::open(&self.url("old.db")).unwrap();
        let edit = EditRow {
            sku: "a".to_owned(),
            name: Some("A".to_owned()),
            description: None,
            own: None,
            hidden: false,
            stands: true,
            edited_at: String::new(),
            edited_by: None,
        };
        store.put_edit(&edit).unwrap();
        if store.document(ID).unwrap().is_none() {
            let row = DocumentRow::new(ID, "d.csv", "2026-11-29T00:00:00Z");
            let row = DocumentRow { state: DocumentState::Complete, place: Some(Place::Current), ..row };
            store.insert_document(&row).unwrap();
        }
        fs::create_dir_all(self.path("old.uploads")).unwrap();
        fs::write(self.path("old.uploads").join(format!("d.csv.{ID}")), "sku,name\nd,D\n").unwrap();
        let saved = self.path(saved);
        backup(&self.url("old.db"), &self.path("old.uploads"), &saved).unwrap();
        saved
    }

    fn stage(&self) -> Stage {
        Stage::new(&self.path("new.db"), &self.path("new.uploads"))
    }

    fn restore(&self, from: &Path) -> Result<Restored> {
        restore(&self.url("new.db"), &self.path("new.uploads"), from)
    }

    #[track_caller]
    fn is_restored(&self) {
        assert_eq!(Store::open(&self.url("new.db")).unwrap().edits_count(None).unwrap(), 1);
        let document = fs::read_to_string(self.path("new.uploads").join(format!("d.csv.{ID}"))).unwrap();
        assert_eq!(document, "sku,name\nd,D\n");
        let names = fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = names.filter(|name| name.to_str().unwrap().contains("restore")).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// A master would find a database without the uploads that it names.
#[test]
fn a_restore_that_was_broken_off_between_database_and_uploads_is_finished_by_the_same_backup_alone() {
    let home = Home::new();
    let (saved, other) = (home.saved("saved"), home.saved("other"));
    home.stage().fill(&saved).unwrap();
    home.stage().place_database(&home.path("new.db")).unwrap();
    let refused = format!("{:#}", home.restore(&other).unwrap_err());
    assert!(refused.contains("was broken off; finish it with that backup"), "{refused}");
    assert!(!home.path("new.uploads").exists());
    assert_eq!(home.restore(&saved).unwrap().documents, 1);
    home.is_restored();
}

/// "Restored" was said of uploads without a database.
#[test]
fn a_database_that_is_no_longer_in_place_is_restored_again() {
    let home = Home::new();
    let (saved, other) = (home.saved("saved"), home.saved("other"));
    let broken_off = || {
        home.stage().fill(&saved).unwrap();
        home.stage().place_database(&home.path("new.db")).unwrap();
    };
    broken_off();
    fs::remove_file(home.path("new.db")).unwrap();
    home.restore(&saved).unwrap();
    home.is_restored();

    // A master has made an empty one meanwhile. Now any backup will do.
    let clear = || {
        fs::remove_file(home.path("new.db")).unwrap();
        fs::remove_dir_all(home.path("new.uploads")).unwrap();
    };
    clear();
    broken_off();
    fs::rename(home.path("new.db"), home.path("moved.db")).unwrap();
    drop(Store::open(&home.url("new.db")).unwrap());
    home.restore(&other).unwrap();
    home.is_restored();

    // Or one that holds something.
    clear();
    broken_off();
    fs::copy(home.path("new.db"), home.path("moved.db")).unwrap();
    fs::rename(home.path("moved.db"), home.path("new.db")).unwrap();
    let refused = format!("{:#}", home.restore(&saved).unwrap_err());
    assert!(refused.contains("is not empty; restore to another database"), "{refused}");
    assert!(!home.path("new.uploads").exists());
}

#[test]
fn what_was_unpacked_before_a_crash_is_in_nobodys_way() {
    let home = Home::new();
    let saved = home.saved("saved");
    home.stage().fill(&saved).unwrap();
    home.restore(&saved).unwrap();
    home.is_restored();

    // Or only a part of it.
    for lacks in ["new.db.restore", "new.uploads.restore"] {
        let home = Home::new();
        let saved = home.saved("saved");
        home.stage().fill(&saved).unwrap();
        if lacks == "new.db.restore" {
            fs::remove_dir_all(home.path("new.uploads.restore")).unwrap();
            fs::write(home.path(lacks), "half").unwrap();
        } else {
            fs::remove_dir_all(home.path(lacks)).unwrap();
        }
        home.restore(&saved).unwrap();
        home.is_restored();
    }
}

#[test]
fn a_newer_schema_and_an_unknown_part_are_refused() {
    let home = Home::new();
    home.saved("saved");
    drop(Store::open(&home.url("newer.db")).unwrap());
    let mut sqlite = SqliteConnection::establish(home.path("newer.db").to_str().unwrap()).unwrap();
    sqlite.batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')").unwrap();
    sqlite.batch_execute("PRAGMA journal_mode = DELETE").unwrap();
    drop(sqlite);
    let check = |members: &[(&str, Vec<u8>)], part: &str| {
        let path = home.path("made");
        let about = About::new("2026-11-29T00:00:00Z".to_owned(), 0);
        let mut archive = ArchiveWriter::new(File::create(&path).unwrap(), &about, 0).unwrap();
        for (name, bytes) in members {
            archive.add(name, bytes.len() as u64, bytes.as_slice()).unwrap();
        }
        archive.finish().unwrap();
        let told = format!("{:#}", home.restore(&path).unwrap_err());
        assert!(told.contains(part), "{told}");
        assert!(!home.path("new.db").exists() && !home.path("new.uploads").exists(), "{part}");
        assert!(!home.path("new.db.restore").exists() && !home.path("new.uploads.restore").exists(), "{part}");
    };
    let newer = fs::read(home.path("newer.db")).unwrap();
    check(&[(DATABASE, newer.clone())], "the backup is of a newer version of tributary (migration 99990101000000)");
    check(&[(DATABASE, b"no database".to_vec())], "the database in the backup cannot be used");
    check(&[], "holds no database");
    for name in ["other", "uploads/a.csv", "uploads/b/c", "database.db"] {
        check(&[(DATABASE, newer.clone()), (name, Vec::new())], "that no backup has");
    }
    check(&[("uploads/d.csv.0000000000000000000000000000000a", Vec::new())], "that no backup has");
}

/// SQLite would have written the pages of another database into the restored one.
#[test]
fn no_log_of_another_database_is_left_beside_a_restored_one() {
    let home = Home::new();
    let saved = home.saved("saved");
    for log in ["new.db-wal", "new.db-journal"] {
        fs::write(home.path(log), "of another").unwrap();
        let refused = format!("{:#}", home.restore(&saved).unwrap_err());
        assert!(refused.contains(log) && refused.contains("move it away"), "{refused}");
        assert!(!home.path("new.db").exists());
        // An empty log says nothing.
        fs::write(home.path(log), "").unwrap();
    }
    home.restore(&saved).unwrap();
    home.is_restored();
    assert!(!home.path("new.db-journal").exists());
}

/// The database was placed, and its uploads never could be.
#[test]
fn a_file_system_of_its_own_is_not_replaced() {
    assert!(is_mount_point(Path::new("/proc")).unwrap());
    let home = Home::new();
    fs::create_dir(home.path("new.uploads")).unwrap();
    assert!(!is_mount_point(&home.path("new.uploads")).unwrap());
    assert!(!is_mount_point(&home.path("none")).unwrap());
}
