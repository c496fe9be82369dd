//! A report as a reader: which files it claims, how they are read, and the table of their partials.

use anyhow::Result;
use tributary_config::ReportConfig;
use tributary_format_rules::SourceFormats;
use tributary_protocol::FormatSpec;
use tributary_store::Store;

use crate::{
    input::{Reader, ResultLink, ResultTables},
    source::GroupLines,
};

impl Reader for ReportConfig {
    fn name(&self) -> String {
        self.reader()
    }

    fn claims(&self, path: &str) -> bool {
        ReportConfig::claims(self, path)
    }

    fn format(&self, path: &str, formats: &SourceFormats) -> FormatSpec {
        self.formats.spec(path).or(formats.spec(path))
    }

    fn reading(&self, format: &FormatSpec) -> String {
        ReportConfig::reading(self, format)
    }

    /// After a change of the report, what a file gave before does not count.
    fn is_current(&self, reading: Option<&str>) -> bool {
        self.is_of_plan(reading)
    }

    fn rejection(&self, reason: String) -> String {
        format!("the report {} cannot use it: {reason}", self.name)
    }

    fn links(&self, source: &str, path: &str) -> Vec<ResultLink> {
        let name = &self.name;
        let of_file = [("source", source), ("file", path), ("format", "csv")];
        vec![
            ResultLink { title: format!("Report {name}"), path: format!("/reports/{name}"), query: Vec::new() },
            ResultLink {
                title: format!("{name} of this file, as CSV"),
                path: format!("/api/v1/reports/{name}"),
                query: of_file.map(|(key, value)| (key, value.to_owned())).to_vec(),
            },
        ]
    }
}

/// The table of partials. The totals are written with all files of an update.
pub(super) struct Partials;

impl<'a> ResultTables<'a> for Partials {
    type Results = &'a mut GroupLines;
    type Changes = ();

    fn write(store: &mut Store, file: i64, lines: &'a mut GroupLines) -> Result<()> {
        store.clear_partial(file)?;
        let mut part_no = 0;
        lines.each_piece(|piece| {
            store.add_partial_piece(file, part_no, piece)?;
            part_no += 1;
            Ok(())
        })
    }

    fn remove(store: &mut Store, file: i64) -> Result<()> {
        Ok(store.clear_partial(file)?)
    }
}
