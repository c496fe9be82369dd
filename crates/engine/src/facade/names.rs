//! Lists of names: the most frequent ones, in pages, as a whole, and a search that reads a bounded part of the table.

use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::sync::oneshot;
use tributary_store::{AggrOrder, AggrRow, Store};

use super::Engine;
use crate::database::{Batch, Batches};

/// Names that one search looks at: 50,000 took some 10 ms. Fewer are sorted by their counts as a whole.
pub const MAX_SEARCHED_NAMES: i64 = 50_000;

/// A page of a search for names.
#[derive(Debug)]
pub struct NameSearch {
    /// The names that were found, with their counts, by name.
    pub rows: Vec<AggrRow>,
    /// The next page comes after this name; `None` on the last page.
    pub next: Option<String>,
    /// The name as far as the search has looked, if more names lie behind it; `None` if the page is full or has the last ones.
    pub searched_to: Option<String>,
}

impl Engine {
    /// The most frequent names, at most 1,000. If counting them took long before, those of the last count, and a new
    /// count begins.
    ///
    /// # Errors
    /// The database fails.
    pub async fn most_frequent_names(&self) -> Result<Arc<[AggrRow]>> {
        let names = &self.0.most_frequent;
        let version = *self.0.writer.done().borrow();
        if let Some(known) = names.known(version) {
            return Ok(known);
        }
        let counted = names.clone();
        let count = move |store: &mut Store| counted.count(store, version);
        match names.stale() {
            None => self.read(count).await,
            Some(stale) => {
                if let Some(turn) = names.begin() {
                    let engine = self.clone();
                    tokio::spawn(async move {
                        if let Err(error) = engine.read(count).await {
                            tracing::warn!("failed to count the most frequent names: {error:#}");
                        }
                        drop(turn);
                    });
                }
                Ok(stale)
            }
        }
    }

    /// Names that contain `part`, with their counts, and the number of all such names.
    ///
    /// # Errors
    /// The database fails.
    pub async fn names(
        &self,
        part: Option<String>,
        order: AggrOrder,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<AggrRow>, i64)> {
        let read = move |store: &mut Store| {
            let rows = store.aggr_list(part.as_deref(), order, limit, offset)?;
            Ok((rows, store.aggr_matches(part.as_deref())?))
        };
        self.read(read).await
    }

    /// As [`Engine::names`], but in batches from one snapshot.
    ///
    /// # Errors
    /// As [`Engine::export_products`].
    pub async fn stream_names(
        &self,
        part: Option<String>,
        order: AggrOrder,
        limit: i64,
        offset: i64,
    ) -> Result<(Batches<AggrRow>, i64)> {
        let (counted, total) = oneshot::channel();
        let produce = move |store: &mut Store, send: &mut dyn FnMut(Vec<AggrRow>) -> Result<()>| {
            // Whoever waits for it may have gone.
            let _ = counted.send(store.aggr_matches(part.as_deref())?);
            send_names(store, part.as_deref(), order, (limit, offset), send)
        };
        let rows = self.0.readers.stream(produce).await?;
        Ok((rows, total.await.context("failed to count the names")?))
    }

    /// At most `limit` names that contain `part`, after skipping `offset`, in batches from one snapshot.
    ///
    /// # Errors
    /// As [`Engine::export_products`].
    pub async fn export_names(
        &self,
        part: Option<String>,
        order: AggrOrder,
        limit: i64,
        offset: i64,
    ) -> Result<Batches<AggrRow>> {
        let produce = move |store: &mut Store, send: &mut dyn FnMut(Vec<AggrRow>) -> Result<()>| {
            send_names(store, part.as_deref(), order, (limit, offset), send)
        };
        self.0.readers.stream(produce).await
    }

    /// Searches a part of the names, in order of name, for a person who must not wait: `limit` of them that contain `part`, after the name
    /// `after`.
    ///
    /// # Errors
    /// The database fails.
    pub async fn search_names(&self, part: Option<String>, after: Option<String>, limit: i64) -> Result<NameSearch> {
        self.read(move |store| {
            let end = match part {
                Some(_) => store.name_at_distance(after.as_deref(), MAX_SEARCHED_NAMES - 1)?,
                // Every name is found, so no more are read than are asked for.
                None => None,
            };
            // One more than asked for shows whether there are others.
            let mut rows = store.aggr_between(part.as_deref(), after.as_deref(), end.as_deref(), limit + 1)?;
            if rows.len() as i64 <= limit {
                return Ok(NameSearch { rows, next: end.clone(), searched_to: end });
            }
            rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            Ok(NameSearch { next: rows.last().map(|last| last.name.clone()), rows, searched_to: None })
        })
        .await
    }
}

fn send_names(
    store: &mut Store,
    part: Option<&str>,
    order: AggrOrder,
    (limit, offset): (i64, i64),
    send: &mut dyn FnMut(Vec<AggrRow>) -> Result<()>,
) -> Result<()> {
    let mut batch = Batch::new(send);
    store.each_name(part, order, limit, offset, |row| {
        let bytes = row.name.len();
        batch.push(row, bytes)
    })?;
    batch.finish()
}
