//! Changes of documents that a transaction makes, to be announced once it is committed.

use tributary_store::{DocumentRow, Place};

use crate::count;

/// The document that a path stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The document's id.
    pub(crate) id: String,
    /// Its hash, as in a manifest.
    pub(crate) hash: String,
    /// Its length.
    pub(crate) bytes: u64,
    /// Time of its arrival, RFC 3339.
    pub(crate) created_at: String,
    /// Whether all readers have committed it.
    pub(crate) is_applied: bool,
}

impl Standing {
    /// A stored document that was received in full.
    pub(crate) fn of(row: &DocumentRow) -> Self {
        Self {
            id: row.id.clone(),
            hash: row.hash.clone().unwrap_or_default(),
            bytes: count::loaded(row.bytes),
            created_at: row.created_at.clone(),
            is_applied: row.place == Some(Place::Current),
        }
    }
}

/// The changes of one transaction.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Paths that stand for something else now, in order.
    pub(super) moved: Vec<(String, Option<Standing>)>,
    /// Documents that have ended, as they are stored.
    pub(super) ended: Vec<DocumentRow>,
    /// Ids and paths of the documents whose files are no longer needed.
    pub(super) files: Vec<(String, String)>,
}

impl Changes {
    /// A path stands for this document now, or for none.
    pub(crate) fn moves(&mut self, path: &str, document: Option<&DocumentRow>) {
        self.moved.push((path.to_owned(), document.map(Standing::of)));
    }

    /// A document has ended. Its file is deleted if it has no place any more.
    pub(crate) fn ends(&mut self, document: DocumentRow) {
        if document.place.is_none() {
            self.deletes(&document);
        }
        self.ended.push(document);
    }

    /// The file of a document is no longer needed.
    pub(crate) fn deletes(&mut self, document: &DocumentRow) {
        self.files.push((document.id.clone(), document.path.clone()));
    }
}

/// The document without a place.
pub(super) fn without_place(row: DocumentRow) -> DocumentRow {
    DocumentRow { place: None, ..row }
}

/// The document in this place.
pub(super) fn placed(row: DocumentRow, place: Place) -> DocumentRow {
    DocumentRow { place: Some(place), ..row }
}
