//! Compiled reports: the formulas to compute for each row, and the values to keep for each group. Which files a report
//! covers is decided elsewhere.

use std::{collections::BTreeSet, fmt};

use tributary_csv_gate::folded;
use tributary_protocol::{ColumnSpec, GroupSpec, ReportSpec};

use crate::{
    columns::{Column, NeededColumns},
    date::DatePart,
    formula::{Condition, Formula},
    parse::{self, Aggregate},
    room::Room,
};

/// The version of partials. Raise it with every change of their content or their text form.
const FORMAT: u32 = 2;
/// The longest name of a result column in bytes, which is the limit of PostgreSQL.
const MAX_NAME_BYTES: usize = 63;
/// The most columns of the results: each metric is computed for each row and kept for each group.
const MAX_RESULT_COLUMNS: usize = 500;

/// The version of partials, combined with that of the gate. Partials of another version have to be recomputed.
#[must_use]
pub fn partial_format() -> String {
    format!("{}.{FORMAT}", tributary_csv_gate::FORMAT)
}

/// A report that is ready to be computed.
#[derive(Clone, Debug)]
pub struct ReportPlan {
    pub(crate) columns: Vec<Column>,
    /// Indexes into `columns` of those that are read as numbers.
    pub(crate) numeric: Vec<usize>,
    pub(crate) filter: Option<(Condition, String)>,
    pub(crate) check: Option<(Condition, String)>,
    pub(crate) group_by: Vec<GroupColumn>,
    /// The formulas to compute for each row, without duplicates.
    pub(crate) formulas: Vec<Formula>,
    pub(crate) parts: Vec<PartSpec>,
    group_names: Vec<String>,
    pub(crate) metrics: Vec<Metric>,
    digest: String,
    results_digest: String,
    /// Bounds the memory of groups, and makes files for others.
    pub(crate) room: Option<Room>,
}

/// A column to group by.
#[derive(Clone, Copy)]
pub(crate) struct GroupColumn {
    /// Index into the plan's columns.
    pub(crate) column: usize,
    /// Set if the cells are dates.
    pub(crate) date: Option<DatePart>,
}

impl fmt::Debug for GroupColumn {
    /// Writes a column without dates as its index alone, which keeps the digests of reports from before there were dates.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.date {
            None => self.column.fmt(f),
            Some(date) => write!(f, "{} {date:?}", self.column),
        }
    }
}

/// A value to accumulate for each group, from which metrics are computed.
#[derive(Clone, Debug)]
pub(crate) struct PartSpec {
    pub(crate) kind: PartKind,
    /// The index of the formula whose values are accumulated.
    pub(crate) formula: usize,
    /// The metric as written in the report.
    pub(crate) text: String,
}

/// The way to accumulate values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PartKind {
    Sum,
    Least,
    Greatest,
}

/// One metric.
#[derive(Clone, Debug)]
pub(crate) struct Metric {
    pub(crate) name: String,
    pub(crate) from: MetricSource,
}

/// The kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// `count`.
    Count,
    /// `sum`.
    Sum,
    /// `mean`.
    Mean,
    /// `min`.
    Least,
    /// `max`.
    Greatest,
}

impl MetricKind {
    /// Whether the values of all groups add up to that of all rows.
    #[must_use]
    pub fn adds_up(self) -> bool {
        matches!(self, Self::Count | Self::Sum)
    }
}

/// The value that a metric is computed from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MetricSource {
    /// The number of rows.
    Rows,
    /// The part with this index.
    Part(usize),
    /// The mean of the sum with this index.
    Mean(usize),
}

/// An invalid declaration of a report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {why}")]
pub struct SpecError {
    /// The setting at fault.
    pub setting: ReportSetting,
    /// The fault and how to fix it.
    pub why: String,
}

/// A setting in the declaration of a report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportSetting {
    /// An entry of `columns`.
    #[error("columns, `{0}`")]
    Column(String),
    /// `where`.
    #[error("where")]
    Filter,
    /// `check`.
    #[error("check")]
    Check,
    /// `group_by`.
    #[error("group_by")]
    GroupBy,
    /// An entry of `metrics`, or all of them if the name is empty.
    #[error("metrics{}", if .0.is_empty() { String::new() } else { format!(", `{}`", .0) })]
    Metric(String),
}

impl ReportPlan {
    /// Compiles a report.
    ///
    /// # Errors
    /// [`SpecError`] if an expression is invalid, or a name is invalid or used twice.
    pub fn compile(spec: &ReportSpec) -> Result<Self, SpecError> {
        let at = |setting: ReportSetting| move |why: String| SpecError { setting, why };
        check_names(spec)?;
        let mut columns = NeededColumns::new(&spec.columns);
        let condition = |text: &Option<String>, columns: &mut NeededColumns| {
            text.as_ref().map(|text| parse::condition(text, columns)).transpose()
        };
        let filter = condition(&spec.filter, &mut columns).map_err(at(ReportSetting::Filter))?;
        let check = condition(&spec.check, &mut columns).map_err(at(ReportSetting::Check))?;
        let (filter, check) = (filter.zip(spec.filter.clone()), check.zip(spec.check.clone()));
        let group_by =
            spec.group_by.iter().map(|group| group_column(group, &mut columns)).collect::<Result<Vec<_>, _>>();
        let group_by = group_by.map_err(at(ReportSetting::GroupBy))?;
        let (mut formulas, mut parts, mut metrics) = (Vec::new(), Vec::new(), Vec::new());
        for metric in &spec.metrics {
            let aggregate = parse::metric(&metric.expression, &mut columns);
            let aggregate = aggregate.map_err(at(ReportSetting::Metric(metric.name.clone())))?;
            let mut part = |kind, formula| {
                let formula = position_or_push(&mut formulas, formula, |one, other| one == other);
                let part = PartSpec { kind, formula, text: metric.expression.clone() };
                position_or_push(&mut parts, part, |one, other| (one.kind, one.formula) == (other.kind, other.formula))
            };
            let from = match aggregate {
                Aggregate::Count => MetricSource::Rows,
                Aggregate::Sum(formula) => MetricSource::Part(part(PartKind::Sum, formula)),
                Aggregate::Mean(formula) => MetricSource::Mean(part(PartKind::Sum, formula)),
                Aggregate::Least(formula) => MetricSource::Part(part(PartKind::Least, formula)),
                Aggregate::Greatest(formula) => MetricSource::Part(part(PartKind::Greatest, formula)),
            };
            metrics.push(Metric { name: metric.name.clone(), from });
        }
        let columns = columns.needed().to_vec();
        let digest = digest(&columns, filter.as_ref(), check.as_ref(), &group_by, (&formulas, &parts));
        let group_names: Vec<String> = spec.group_by.iter().map(|group| group.name().to_owned()).collect();
        // The number counts the ways in which results were written, so that a table of an earlier one is written again.
        let results_digest = short_digest(&format!("2 {digest} {group_names:?} {metrics:?}"));
        let mut numeric = BTreeSet::new();
        let conditions = filter.iter().chain(&check).map(|(condition, _)| condition);
        conditions.for_each(|condition| condition.numeric_columns(&mut numeric));
        formulas.iter().for_each(|formula: &Formula| formula.columns(&mut numeric));
        let numeric = numeric.into_iter().collect();
        Ok(Self {
            columns,
            numeric,
            filter,
            check,
            group_by,
            formulas,
            parts,
            group_names,
            metrics,
            digest,
            results_digest,
            room: None,
        })
    }

    /// Bounds the memory of groups: those for which there is no room go to files.
    #[must_use]
    pub fn within(self, room: Room) -> Self {
        Self { room: Some(room), ..self }
    }

    /// The kinds of all parts.
    pub(crate) fn kinds(&self) -> Vec<PartKind> {
        self.parts.iter().map(|part| part.kind).collect()
    }

    /// A digest of everything that determines the partial of a file, which excludes the names of metrics.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// A digest of everything that determines the results, including their names.
    #[must_use]
    pub fn results_digest(&self) -> &str {
        &self.results_digest
    }

    /// The names of the columns of `group_by` in the results, as spelled, in order.
    #[must_use]
    pub fn group_by(&self) -> &[String] {
        &self.group_names
    }

    /// The names of the metrics as spelled, in order.
    pub fn metrics(&self) -> impl Iterator<Item = &str> {
        self.metrics.iter().map(|metric| metric.name.as_str())
    }

    /// The kinds of the metrics, in order.
    pub fn metric_kinds(&self) -> impl Iterator<Item = MetricKind> {
        self.metrics.iter().map(|metric| match metric.from {
            MetricSource::Rows => MetricKind::Count,
            MetricSource::Mean(_) => MetricKind::Mean,
            MetricSource::Part(part) => match self.parts[part].kind {
                PartKind::Sum => MetricKind::Sum,
                PartKind::Least => MetricKind::Least,
                PartKind::Greatest => MetricKind::Greatest,
            },
        })
    }
}

fn group_column(group: &GroupSpec, columns: &mut NeededColumns) -> Result<GroupColumn, String> {
    let date = match group {
        GroupSpec::Column(_) => None,
        GroupSpec::Date(date) => Some(DatePart::new(date)),
    };
    Ok(GroupColumn { column: columns.index(group.column())?, date })
}

/// Returns the index of the entry that is the same as `new`, which is added if there is none.
fn position_or_push<T>(entries: &mut Vec<T>, new: T, same: impl Fn(&T, &T) -> bool) -> usize {
    entries.iter().position(|other| same(&new, other)).unwrap_or_else(|| {
        entries.push(new);
        entries.len() - 1
    })
}

/// Digests the `Debug` texts of the compiled report. Renaming a variant or a field in them changes the digest, so that
/// all stored partials have to be recomputed: a test pins it.
fn digest(
    columns: &[Column],
    filter: Option<&(Condition, String)>,
    check: Option<&(Condition, String)>,
    group_by: &[GroupColumn],
    (formulas, parts): (&[Formula], &[PartSpec]),
) -> String {
    let places: Vec<_> = columns.iter().map(|column| &column.place).collect();
    let parts: Vec<_> = parts.iter().map(|part| (part.kind, &formulas[part.formula])).collect();
    let compiled = format!("{} {places:?} {filter:?} {check:?} {group_by:?} {parts:?}", partial_format());
    short_digest(&compiled)
}

fn short_digest(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..32].to_owned()
}

fn check_columns(spec: &ReportSpec) -> Result<(), SpecError> {
    for (name, column) in &spec.columns {
        let wrong = |why: &str| Err(SpecError { setting: ReportSetting::Column(name.clone()), why: why.to_owned() });
        if name.trim().is_empty() {
            return wrong("a column needs a name");
        }
        let mut others = spec.columns.iter().filter(|(other, _)| *other != name);
        if others.clone().any(|(other, _)| folded(other) == folded(name)) {
            return wrong("another entry differs only in case; keep one of them");
        }
        match column {
            ColumnSpec::Position(0) => return wrong("positions are counted from 1"),
            ColumnSpec::Position(position) => {
                if let Some((other, _)) = others.find(|(_, other)| *other == column) {
                    return wrong(&format!(
                        "position {position} is `{other}` too; correct one of them, or leave it out"
                    ));
                }
            }
            ColumnSpec::Headers(names) if names.is_empty() || names.iter().any(|name| name.trim().is_empty()) => {
                return wrong("list its names in headers, as in `price = [\"Price\", \"UnitPrice\"]`");
            }
            ColumnSpec::Headers(_) => {}
        }
    }
    Ok(())
}

/// Checks that the names of the results can become columns of a table, where case is ignored.
fn check_names(spec: &ReportSpec) -> Result<(), SpecError> {
    check_columns(spec)?;
    if spec.metrics.is_empty() {
        let why = "add at least one metric, as in `{ rows = \"count()\" }`".to_owned();
        return Err(SpecError { setting: ReportSetting::Metric(String::new()), why });
    }
    if spec.group_by.len() + spec.metrics.len() > MAX_RESULT_COLUMNS {
        let why = format!("a report has at most {MAX_RESULT_COLUMNS} columns; make two reports of it");
        return Err(SpecError { setting: ReportSetting::Metric(String::new()), why });
    }
    let groups = spec.group_by.iter().map(|group| (group.name(), ReportSetting::GroupBy));
    let metrics = spec.metrics.iter().map(|metric| (metric.name.as_str(), ReportSetting::Metric(metric.name.clone())));
    let mut seen: Vec<String> = Vec::new();
    for (name, setting) in groups.chain(metrics) {
        let why = if name.trim().is_empty() {
            "a result column needs a name".to_owned()
        } else if name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control) {
            format!(
                "`{}` cannot be the name of a column: use at most {MAX_NAME_BYTES} bytes and no control characters",
                name.escape_debug()
            )
        } else if seen.contains(&name.to_lowercase()) {
            format!("the results would have two columns `{name}` (case is ignored); rename one of them")
        } else {
            seen.push(name.to_lowercase());
            continue;
        };
        return Err(SpecError { setting, why });
    }
    Ok(())
}
