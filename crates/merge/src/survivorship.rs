//! Survivorship: which offer of a sku wins, and which offer gives the text of each column (docs/reference/README.md#winner).

use std::borrow::Cow;

use crate::{
    error::Error,
    offer::Offer,
    rank::Ranks,
    recency::Recency,
    texts::{NAME, Texts},
};

/// Everything that decides what offers show: the ranks of files, and the rules of the catalog.
#[derive(Debug, Clone)]
pub struct Survivorship {
    /// The ranks of all files that offer something.
    pub ranks: Ranks,
    /// The column of a time or number: the offer with the greatest wins, before its rank.
    pub newest: Option<usize>,
    /// Columns whose texts come from certain sources only, with the numbers of these: of the first that offers a text.
    pub from: Vec<(usize, Vec<i64>)>,
    /// The column whose texts `aggr` counts.
    pub group_by: usize,
}

impl Survivorship {
    /// The order of files alone decides, and names are counted.
    #[must_use]
    pub fn by_rank(ranks: Ranks) -> Self {
        Self { ranks, newest: None, from: Vec::new(), group_by: NAME }
    }

    /// Sorts the offers of a sku, so that the winner is last.
    ///
    /// # Errors
    /// A file has no rank. Fewer than two offers need no rank and never fail.
    pub(crate) fn sort(&self, offers: &mut [Offer<&str>]) -> Result<(), Error> {
        if offers.len() < 2 {
            return Ok(());
        }
        offers.iter().try_for_each(|offer| self.ranks.of(offer.file).map(drop))?;
        let rank = |offer: &Offer<&str>| self.ranks.of(offer.file).ok();
        match self.newest {
            // A text that is no time has been rejected with its row; one of an older configuration counts as none.
            Some(column) => offers.sort_by_cached_key(|offer| {
                (Recency::parse(offer.texts.get(column)).unwrap_or(Recency::Unknown), rank(offer))
            }),
            None => offers.sort_by_key(rank),
        }
        Ok(())
    }

    /// The position of the offer that gives the text of a column; `None` if no offer does. The offers are sorted, and the last does
    /// not delete the sku.
    ///
    /// # Errors
    /// A file has no rank.
    pub fn giver(&self, column: usize, offers: &[Offer<&str>]) -> Result<Option<usize>, Error> {
        let Some((_, sources)) = self.from.iter().find(|(of, _)| *of == column) else {
            return Ok(offers.len().checked_sub(1));
        };
        for source in sources {
            for (at, offer) in offers.iter().enumerate().rev() {
                if self.ranks.source_of(offer.file)? != *source {
                    continue;
                }
                if offer.deletes {
                    break;
                }
                if !offer.texts.get(column).is_empty() {
                    return Ok(Some(at));
                }
            }
        }
        Ok(None)
    }

    /// The texts that sorted offers show, of which the last does not delete the sku.
    pub(crate) fn texts<'a>(&self, offers: &[Offer<&'a str>]) -> Result<Texts<Cow<'a, str>>, Error> {
        let winner = offers.last().map(|winner| winner.texts).unwrap_or_default();
        let Some(last) = self.from.iter().map(|(column, _)| *column).max() else { return Ok(Texts(winner.0.into())) };
        let mut texts: Vec<&str> = winner.iter().collect();
        texts.resize(texts.len().max(last + 1), "");
        for (column, _) in &self.from {
            let giver = self.giver(*column, offers)?;
            texts[*column] = giver.map_or("", |at| offers[at].texts.get(*column));
        }
        let texts = Texts::new(texts);
        Ok(Texts(if texts.borrowed() == winner { winner.0.into() } else { texts.0.into() }))
    }
}
