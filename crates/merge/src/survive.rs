//! Winners on whole columns: all current offers of the touched skus, in order of sku and rank.

use polars::prelude::*;

use crate::{Error, Offer, Ranks};

/// Lays what the files now say over what is stored, and puts it in order. `stored` are the offers that the database holds
/// for the skus; `touched` the files' rows for the same skus, a later statement of a file replacing its stored one.
/// Returns every offer that is current afterwards, by sku (bytes) and rank: the last one of a sku is its winner.
pub(crate) fn current_offers(stored: &[Offer], touched: &[DataFrame], ranks: &Ranks) -> Result<Vec<Offer>, Error> {
    let mut frame = stored_frame(stored)?;
    for rows in touched {
        frame.vstack_mut(rows)?;
    }
    let rank: Vec<u32> =
        frame.column("file")?.i64()?.iter().map(|file| ranks.of(file.unwrap_or_default())).collect::<Result<_, _>>()?;
    frame.with_column(Column::new("rank".into(), rank))?;
    // Stored rows stand before touched ones and the sort is stable, so the last row of a (sku, file) is what the file
    // says now.
    let said_again =
        col("sku").eq_missing(col("sku").shift(lit(-1))).and(col("rank").eq_missing(col("rank").shift(lit(-1))));
    let frame = frame
        .lazy()
        .sort(["sku", "rank"], SortMultipleOptions::default().with_maintain_order(true))
        .filter(said_again.not().and(col("gone").not()))
        .collect()?;
    offers_of(&frame)
}

fn stored_frame(stored: &[Offer]) -> Result<DataFrame, Error> {
    let texts = |name: &str, text: fn(&Offer) -> &str| -> Column {
        StringChunked::from_iter_values(name.into(), stored.iter().map(text)).into_column()
    };
    Ok(DataFrame::new_infer_height(vec![
        texts("sku", |offer| &offer.sku),
        Column::new("file".into(), stored.iter().map(|offer| offer.file).collect::<Vec<_>>()),
        Column::new("gone".into(), vec![false; stored.len()]),
        Column::new("deletes".into(), stored.iter().map(|offer| offer.deletes).collect::<Vec<_>>()),
        texts("name", |offer| &offer.name),
        texts("description", |offer| &offer.description),
    ])?)
}

fn offers_of(frame: &DataFrame) -> Result<Vec<Offer>, Error> {
    let (sku, name, description) =
        (frame.column("sku")?.str()?, frame.column("name")?.str()?, frame.column("description")?.str()?);
    let (file, deletes) = (frame.column("file")?.i64()?, frame.column("deletes")?.bool()?);
    let texts = sku.iter().zip(name.iter()).zip(description.iter());
    let offers =
        texts.zip(file.iter()).zip(deletes.iter()).map(|((((sku, name), description), file), deletes)| Offer {
            sku: sku.unwrap_or_default().to_owned(),
            file: file.unwrap_or_default(),
            deletes: deletes.unwrap_or_default(),
            name: name.unwrap_or_default().to_owned(),
            description: description.unwrap_or_default().to_owned(),
        });
    Ok(offers.collect())
}
