//! Patches: the offers of a file of which most parts stayed as they were. Only what changed was read, so only the pages that it touches
//! are cut again; the result is that of cutting all of the file.

use std::{collections::HashSet, iter::Peekable};

use crate::{
    Error, FileChanges, Page, Run, diff_pages,
    page::{PageCutter, rows},
};

/// Changes of a file, beside the parts that stayed.
pub struct Patch {
    run: Run,
    removed: Vec<String>,
    hidden: HashSet<String>,
    lines: Vec<MovedLines>,
    offers: usize,
}

/// Lines of a part of the file that stayed, as they were counted before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MovedLines {
    /// The first line.
    pub first: u64,
    /// The number of lines.
    pub len: u64,
    /// The first line now.
    pub now: u64,
}

/// The pages of a file that a patch changes.
pub struct PatchedPages {
    /// First skus of the stored pages to delete.
    pub deleted: Vec<String>,
    /// The pages to insert.
    pub inserted: Vec<Page>,
    /// The skus that the file changes.
    pub changes: FileChanges,
}

/// A fresh offer: its number in the run, sku, content hash and line.
type Fresh = (u32, String, u64, u64);

impl Patch {
    /// A file of which `run` holds the rows that were read. `removed` are the skus whose row of before does not count any more, each
    /// once; `hidden` those of the run whose row does not count, because a later one stayed; `lines` the parts that stayed, ascending.
    /// `before` is the number of offers that the file had.
    #[must_use]
    pub fn new(
        run: Run,
        mut removed: Vec<String>,
        hidden: HashSet<String>,
        lines: Vec<MovedLines>,
        before: usize,
    ) -> Self {
        removed.sort_unstable();
        let offers = (before + run.offers()).saturating_sub(removed.len() + hidden.len());
        Self { run, removed, hidden, lines, offers }
    }

    /// Number of offers in the file.
    #[must_use]
    pub fn offers(&self) -> usize {
        self.offers
    }

    /// Number of skus that it may change.
    #[must_use]
    pub fn touched(&self) -> usize {
        self.run.offers() + self.removed.len()
    }

    /// The numbers of the stored pages that it may change, ascending. `stored` are all of the file, by first sku.
    ///
    /// # Errors
    /// [`Error::Spool`].
    pub fn touched_pages(&self, stored: &[(String, Vec<u8>)]) -> Result<Vec<usize>, Error> {
        if self.lines.iter().any(|lines| lines.now != lines.first) {
            return Ok((0..stored.len()).collect());
        }
        let page_of = |sku: &str| stored.partition_point(|(first, _)| first.as_str() <= sku).saturating_sub(1);
        let mut touched: Vec<usize> = self.removed.iter().map(|sku| page_of(sku)).collect();
        // What follows a first sku that is gone joins the page before.
        let is_first = |sku: &&String| stored.binary_search_by(|(first, _)| first.cmp(sku)).is_ok();
        touched.extend(self.removed.iter().filter(is_first).map(|sku| page_of(sku).saturating_sub(1)));
        touched.extend(self.fresh()?.iter().map(|(_, sku, ..)| page_of(sku)));
        touched.sort_unstable();
        touched.dedup();
        touched.retain(|page| *page < stored.len());
        Ok(touched)
    }

    /// Changes the pages of the file with this number in the database. `touched` are those of [`Self::touched_pages`], and `contents` the
    /// entries and the lines of each.
    ///
    /// # Errors
    /// [`Error::Spool`]; [`Error::NotOfFile`] if it is no patch of these pages; a stored page is damaged.
    pub fn apply(
        self,
        file: i64,
        stored: &[(String, Vec<u8>)],
        touched: &[usize],
        contents: &[(Vec<u8>, Vec<u8>)],
    ) -> Result<PatchedPages, Error> {
        let mut fresh = self.fresh()?.into_iter().peekable();
        let removed = self.removed.iter().peekable();
        let mut work = Work {
            patch: &self,
            removed,
            found: 0,
            inserted: Vec::new(),
            deleted: Vec::new(),
            offers: Vec::new(),
            gone: Vec::new(),
        };
        let mut at = 0;
        for group in touched.chunk_by(|page, next| page + 1 == *next) {
            let after = group.last().and_then(|last| stored.get(last + 1)).map(|(first, _)| first.as_str());
            work.group(&stored[group[0]..][..group.len()], &contents[at..at + group.len()], &mut fresh, after)?;
            at += group.len();
        }
        if stored.is_empty() {
            work.group(&[], &[], &mut fresh, None)?;
        }
        if fresh.next().is_some() || work.found != self.removed.len() {
            return Err(Error::NotOfFile);
        }
        let Work { inserted, deleted, offers, gone, .. } = work;
        Ok(PatchedPages { deleted, inserted, changes: FileChanges { file, run: Some(self.run), offers, gone } })
    }

    fn fresh(&self) -> Result<Vec<Fresh>, Error> {
        let mut cursor = self.run.cursor()?;
        let mut fresh = Vec::with_capacity(self.run.offers());
        for number in 0..self.run.offers() {
            cursor.seek(number)?;
            let record = cursor.record();
            let sku = crate::record::text(record.sku)?;
            if !self.hidden.contains(sku) {
                fresh.push((number as u32, sku.to_owned(), record.content_hash, record.line));
            }
        }
        Ok(fresh)
    }

    /// The place of a line that stayed.
    fn line_now(&self, line: u64) -> Result<u64, Error> {
        let part = self.lines.partition_point(|part| part.first <= line).checked_sub(1).map(|at| self.lines[at]);
        let part = part.filter(|part| line - part.first < part.len).ok_or(Error::NotOfFile)?;
        Ok(part.now + (line - part.first))
    }
}

/// A patch that is being applied.
struct Work<'a> {
    patch: &'a Patch,
    /// Removed skus that were not met yet.
    removed: Peekable<std::slice::Iter<'a, String>>,
    /// Removed skus that were found.
    found: usize,
    inserted: Vec<Page>,
    deleted: Vec<String>,
    offers: Vec<u32>,
    gone: Vec<String>,
}

impl Work<'_> {
    /// Cuts neighbouring pages again. `after` is the first sku behind them.
    fn group(
        &mut self,
        stored: &[(String, Vec<u8>)],
        contents: &[(Vec<u8>, Vec<u8>)],
        fresh: &mut Peekable<impl Iterator<Item = Fresh>>,
        after: Option<&str>,
    ) -> Result<(), Error> {
        let mut cutter = PageCutter::new(usize::MAX);
        for (entries, lines) in contents {
            rows(entries, lines, |sku, hash, line| {
                while let Some(new) = fresh.next_if(|(_, new, ..)| new.as_str() < sku) {
                    self.insert(&mut cutter, &new)?;
                }
                while self.removed.next_if(|gone| gone.as_str() < sku).is_some() {}
                let is_removed = self.removed.next_if(|gone| gone.as_str() == sku).is_some();
                self.found += usize::from(is_removed);
                match fresh.next_if(|(_, new, ..)| new == sku) {
                    // Nobody said which of the two counts.
                    Some(_) if !is_removed => Err(Error::NotOfFile),
                    Some((_, _, new_hash, line)) if new_hash == hash => cutter.push(sku.as_bytes(), hash, line),
                    Some(new) => self.insert(&mut cutter, &new),
                    None if is_removed => {
                        self.gone.push(sku.to_owned());
                        Ok(())
                    }
                    None => cutter.push(sku.as_bytes(), hash, self.patch.line_now(line)?),
                }
            })?;
        }
        while let Some(new) = fresh.next_if(|(_, new, ..)| after.is_none_or(|after| new.as_str() < after)) {
            self.insert(&mut cutter, &new)?;
        }
        let pages = cutter.finish();
        let diff = diff_pages(&pages, stored);
        self.deleted.extend(diff.deleted);
        let mut inserted = diff.inserted.into_iter().peekable();
        let is_inserted = pages.into_iter().enumerate().filter(|(page, _)| inserted.next_if_eq(page).is_some());
        self.inserted.extend(is_inserted.map(|(_, page)| page));
        Ok(())
    }

    fn insert(&mut self, cutter: &mut PageCutter, (number, sku, hash, line): &Fresh) -> Result<(), Error> {
        self.offers.push(*number);
        cutter.push(sku.as_bytes(), *hash, *line)
    }
}

#[cfg(test)]
mod tests;
