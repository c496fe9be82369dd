//! The words that people read about a report. They decide nothing about its results, so a change of them computes nothing.

use std::collections::BTreeMap;

use toml::Spanned;

/// Longest texts, in characters.
const LONGEST_TITLE: usize = 120;
const LONGEST_DESCRIPTION: usize = 1_000;
const LONGEST_UNIT: usize = 20;

/// The words that people read about a report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportDisplay {
    /// Heading. Default: the report's name.
    pub title: Option<String>,
    /// Sentence or two on what it shows. Default: none.
    pub description: Option<String>,
    /// Unit per metric, such as `€`. Default: none.
    pub units: BTreeMap<String, String>,
}

/// The same, as typed.
pub(super) struct DisplayAsTyped<'a> {
    pub(super) title: Option<&'a Spanned<String>>,
    pub(super) description: Option<&'a Spanned<String>>,
    pub(super) units: &'a BTreeMap<String, Spanned<String>>,
}

impl DisplayAsTyped<'_> {
    /// Checks the words. An error comes with its position in the file.
    pub(super) fn display(&self, metrics: &[String]) -> Result<ReportDisplay, (usize, String)> {
        let text =
            |typed: Option<&Spanned<String>>, what, longest| typed.map(|text| words(text, what, longest)).transpose();
        let mut units = BTreeMap::new();
        for (metric, unit) in self.units {
            if !metrics.contains(metric) {
                let why =
                    format!("units: `{metric}` is not a metric of the report, which has `{}`", metrics.join("`, `"));
                return Err((unit.span().start, why));
            }
            units.insert(metric.clone(), words(unit, "a unit", LONGEST_UNIT)?);
        }
        Ok(ReportDisplay {
            title: text(self.title, "a title", LONGEST_TITLE)?,
            description: text(self.description, "a description", LONGEST_DESCRIPTION)?,
            units,
        })
    }
}

fn words(typed: &Spanned<String>, what: &str, longest: usize) -> Result<String, (usize, String)> {
    // A description may be written over several lines.
    let text = typed.get_ref().split_whitespace().collect::<Vec<_>>().join(" ");
    match text {
        text if text.is_empty() || text.chars().any(char::is_control) || text.chars().count() > longest => {
            let why = format!("{what} needs 1 to {longest} characters, none of them a control character");
            Err((typed.span().start, why))
        }
        text => Ok(text),
    }
}
