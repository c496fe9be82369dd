//! Sorts files into those for the cluster and others: asks whether they are plain, and compares them with the report.

use std::sync::Arc;

use anyhow::anyhow;
use futures_util::{StreamExt, stream};
use tributary_config::ReportConfig;
use tributary_csv_gate::plain::{ColumnFacts, PlainTable};
use tributary_format_rules::file_format;
use tributary_protocol::{PlainColumn, PlainFile};
use tributary_report::SqlFile;

use super::{
    place::{Known, Place},
    run::Routed,
};
use crate::{input::FileToRead, source::FetchError};

/// Files about which a source is asked at a time.
const MAX_CONCURRENT_QUESTIONS: usize = 2;

/// A file for the cluster.
pub(super) struct Candidate {
    pub(super) file: Arc<FileToRead>,
    pub(super) sql: SqlFile,
    /// Words on its format, and notes.
    pub(super) format: Option<String>,
    pub(super) notes: Vec<String>,
}

/// Sorts files into candidates and others, in their order.
pub(super) async fn sort(
    place: &Place<'_>,
    report: &ReportConfig,
    files: Vec<Arc<FileToRead>>,
    read_on: impl Fn(u64),
) -> (Vec<Candidate>, Vec<(Arc<FileToRead>, Routed)>) {
    let known = match place.known(&files).await {
        Ok(known) => known,
        Err(error) => {
            let why = error.to_string();
            let failed = |file| (file, Routed::Failed(FetchError::Failed(anyhow!(why.clone()))));
            return (Vec::new(), files.into_iter().map(failed).collect());
        }
    };
    let (known, read_on) = (&known, &read_on);
    let judge = |file: Arc<FileToRead>| async move {
        let judged = candidate((place, known), report, &file, read_on).await;
        (file, judged)
    };
    let mut judged = stream::iter(files).map(judge).buffered(MAX_CONCURRENT_QUESTIONS);
    let (mut candidates, mut others) = (Vec::new(), Vec::new());
    while let Some((file, judged)) = judged.next().await {
        match judged {
            Ok(candidate) => candidates.push(candidate),
            Err(routed) => others.push((file, routed)),
        }
    }
    (candidates, others)
}

async fn candidate(
    (place, known): (&Place<'_>, &Known),
    report: &ReportConfig,
    file: &Arc<FileToRead>,
    read_on: impl Fn(u64),
) -> Result<Candidate, Routed> {
    let push_down = |why: String| Routed::PushDown(why);
    let format = file_format(&file.format).map_err(|why| push_down(why.to_string()))?;
    let plain = place.is_plain(file, known, read_on).await?.map_err(push_down)?;
    let table = table(&plain).ok_or_else(|| push_down("its delimiter is no ASCII character".to_owned()))?;
    let sql = report.plan.sql_file(&table, &format.numbers).map_err(|why| push_down(why.to_string()))?;
    Ok(Candidate { file: Arc::clone(file), sql, format: plain.format, notes: plain.notes })
}

fn table(plain: &PlainFile) -> Option<PlainTable> {
    let facts = |column: &PlainColumn| {
        let PlainColumn { empty, padded, texts, whole, fraction, .. } = *column;
        ColumnFacts { empty, padded, texts, integer_digits: whole, fraction_digits: fraction, ..ColumnFacts::default() }
    };
    Some(PlainTable {
        delimiter: u8::try_from(plain.delimiter).ok().filter(u8::is_ascii)?,
        has_header: plain.header,
        columns: plain.columns.iter().map(|column| column.name.clone()).collect(),
        rows: plain.rows,
        facts: plain.columns.iter().map(facts).collect(),
    })
}
