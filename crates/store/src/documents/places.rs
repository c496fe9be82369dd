//! The documents that have a place: what the paths of the source `uploads` stand for.

use diesel::prelude::*;

use super::rows::{DocumentRow, DocumentState, Place};
use crate::{
    Error, Store,
    database::{error::OrCannot, keys::KEYS_PER_STATEMENT, schema::documents::dsl},
};

impl Store {
    /// The document that has this place in a path.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn document_at(&mut self, path: &str, place: Place) -> Result<Option<DocumentRow>, Error> {
        dsl::documents
            .filter(dsl::path.eq(path).and(dsl::place.eq(place.as_str())))
            .select(DocumentRow::as_select())
            .first(&mut self.connection)
            .optional()
            .or_cannot(|| format!("read the {} document of {path:?}", place.as_str()))
    }

    /// The documents that some paths stand for, in no particular order: of each path the next one, or else the current one.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn standing_documents<T: AsRef<str>>(&mut self, paths: &[T]) -> Result<Vec<DocumentRow>, Error> {
        let mut found = Vec::new();
        for paths in paths.chunks(KEYS_PER_STATEMENT) {
            let paths = paths.iter().map(AsRef::as_ref);
            let query = dsl::documents.filter(dsl::path.eq_any(paths).and(dsl::place.is_not_null()));
            let query = query.select(DocumentRow::as_select());
            found.extend(query.load(&mut self.connection).or_cannot(|| "read the documents of some paths")?);
        }
        Ok(standing(found))
    }

    /// The paths below a folder that stand for a document, in order. `folder` ends in `/`.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn standing_paths_below(&mut self, folder: &str) -> Result<Vec<String>, Error> {
        // The sign behind `/`. Unlike a pattern, a range is found by the index, and has no letters of its own.
        let end = format!("{}0", folder.trim_end_matches('/'));
        dsl::documents
            .filter(dsl::path.ge(folder).and(dsl::path.lt(end)).and(dsl::place.is_not_null()))
            .select(dsl::path)
            .distinct()
            .order(dsl::path)
            .load(&mut self.connection)
            .or_cannot(|| format!("read the documents below {folder:?}"))
    }

    /// The documents that all paths stand for, by path.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn all_standing_documents(&mut self) -> Result<Vec<DocumentRow>, Error> {
        let query = dsl::documents.filter(dsl::place.is_not_null()).select(DocumentRow::as_select());
        Ok(standing(query.load(&mut self.connection).or_cannot(|| "read the documents of all paths")?))
    }

    /// All documents that have a place, in no particular order: a path may have a current and a next one.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn placed_documents(&mut self) -> Result<Vec<DocumentRow>, Error> {
        let query = dsl::documents.filter(dsl::place.is_not_null()).select(DocumentRow::as_select());
        query.load(&mut self.connection).or_cannot(|| "read the documents that have a place")
    }

    /// The documents that are being received, by id.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn receiving_documents(&mut self) -> Result<Vec<DocumentRow>, Error> {
        dsl::documents
            .filter(dsl::place.is_null().and(dsl::state.eq(DocumentState::Receiving.as_str())))
            .select(DocumentRow::as_select())
            .order(dsl::id)
            .load(&mut self.connection)
            .or_cannot(|| "read the documents that are being received")
    }
}

/// Keeps one document of each path.
fn standing(mut documents: Vec<DocumentRow>) -> Vec<DocumentRow> {
    documents.sort_unstable_by(|a, b| a.path.cmp(&b.path).then_with(|| is_next(b).cmp(&is_next(a))));
    documents.dedup_by(|later, kept| later.path == kept.path);
    documents
}

fn is_next(document: &DocumentRow) -> bool {
    document.place == Some(Place::Next)
}
