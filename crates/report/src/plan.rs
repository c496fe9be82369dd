//! A report compiled: what is computed of a row, and what of a group. Which files are a report's is not known here.

use tributary_protocol::ReportSpec;

use crate::{
    columns::{Column, Columns},
    formula::{Condition, Formula},
    parse::{self, Aggregate},
};

/// Raise it with every change of what a partial holds or how it is written.
const FORMAT: u32 = 1;
/// Longest name of a column of the results, in bytes: PostgreSQL's.
const LONGEST_NAME: usize = 63;

/// The format of partials, the gate's included: those of another one are computed anew.
#[must_use]
pub fn format() -> String {
    format!("{}.{FORMAT}", tributary_csv_gate::FORMAT)
}

/// A report that can be computed.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) columns: Vec<Column>,
    pub(crate) filter: Option<(Condition, String)>,
    pub(crate) check: Option<(Condition, String)>,
    /// Places in `columns`.
    pub(crate) group_by: Vec<usize>,
    /// What is computed of a row.
    pub(crate) formulas: Vec<Formula>,
    pub(crate) parts: Vec<PartPlan>,
    group_names: Vec<String>,
    pub(crate) metrics: Vec<Metric>,
    digest: String,
    results_digest: String,
}

/// What is kept of each group so that it can be merged.
#[derive(Clone, Debug)]
pub(crate) struct PartPlan {
    pub(crate) kind: PartKind,
    /// Of which formula's values.
    pub(crate) formula: usize,
    /// As it is written in the report.
    pub(crate) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PartKind {
    Sum,
    Least,
    Greatest,
}

/// One metric, and the part that it is made of.
#[derive(Clone, Debug)]
pub(crate) struct Metric {
    pub(crate) name: String,
    pub(crate) from: From,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum From {
    Rows,
    Part(usize),
    Mean(usize),
}

/// A report that cannot be computed as it is declared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {why}")]
pub struct SpecError {
    /// Which setting is at fault.
    pub place: Place,
    /// What is wrong and what would mend it.
    pub why: String,
}

/// A setting of a report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Place {
    /// A name of `columns`.
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
    /// A metric, or all of them if the name is empty.
    #[error("metrics{}", if .0.is_empty() { String::new() } else { format!(", `{}`", .0) })]
    Metric(String),
}

impl Plan {
    /// Compiles a report.
    ///
    /// # Errors
    /// An expression cannot be read, or names stand in each other's way.
    pub fn compile(spec: &ReportSpec) -> Result<Self, SpecError> {
        let at = |place: Place| move |why: String| SpecError { place, why };
        check_names(spec)?;
        let mut columns = Columns::new(&spec.columns);
        let condition = |text: &Option<String>, columns: &mut Columns| {
            text.as_ref().map(|text| parse::condition(text, columns)).transpose()
        };
        let filter = condition(&spec.filter, &mut columns).map_err(at(Place::Filter))?;
        let check = condition(&spec.check, &mut columns).map_err(at(Place::Check))?;
        let (filter, check) = (filter.zip(spec.filter.clone()), check.zip(spec.check.clone()));
        let group_by = spec.group_by.iter().map(|name| columns.place(name)).collect::<Result<Vec<_>, _>>();
        let group_by = group_by.map_err(at(Place::GroupBy))?;
        let (mut formulas, mut parts, mut metrics) = (Vec::new(), Vec::new(), Vec::new());
        for metric in &spec.metrics {
            let aggregate = parse::metric(&metric.expression, &mut columns);
            let aggregate = aggregate.map_err(at(Place::Metric(metric.name.clone())))?;
            let mut part = |kind, formula| {
                let formula = place_of(&mut formulas, formula, |one, other| one == other);
                let part = PartPlan { kind, formula, text: metric.expression.clone() };
                place_of(&mut parts, part, |one, other| (one.kind, one.formula) == (other.kind, other.formula))
            };
            let from = match aggregate {
                Aggregate::Count => From::Rows,
                Aggregate::Sum(formula) => From::Part(part(PartKind::Sum, formula)),
                Aggregate::Mean(formula) => From::Mean(part(PartKind::Sum, formula)),
                Aggregate::Least(formula) => From::Part(part(PartKind::Least, formula)),
                Aggregate::Greatest(formula) => From::Part(part(PartKind::Greatest, formula)),
            };
            metrics.push(Metric { name: metric.name.clone(), from });
        }
        let columns = columns.needed().to_vec();
        let digest = digest(&columns, filter.as_ref(), check.as_ref(), &group_by, (&formulas, &parts));
        let group_names = spec.group_by.clone();
        let results_digest = short_digest(&format!("{digest} {group_names:?} {metrics:?}"));
        Ok(Self { columns, filter, check, group_by, formulas, parts, group_names, metrics, digest, results_digest })
    }

    /// A digest of everything that decides what a file's partial is: not of what metrics are called.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// A digest of everything that decides what the results are, their names included.
    #[must_use]
    pub fn results_digest(&self) -> &str {
        &self.results_digest
    }

    /// The columns that make a group, as spelled.
    #[must_use]
    pub fn group_by(&self) -> &[String] {
        &self.group_names
    }

    /// What the metrics are called, as spelled, in their order.
    pub fn metrics(&self) -> impl Iterator<Item = &str> {
        self.metrics.iter().map(|metric| metric.name.as_str())
    }
}

/// Where something is, which several may share.
fn place_of<T>(places: &mut Vec<T>, new: T, same: impl Fn(&T, &T) -> bool) -> usize {
    places.iter().position(|other| same(&new, other)).unwrap_or_else(|| {
        places.push(new);
        places.len() - 1
    })
}

fn digest(
    columns: &[Column],
    filter: Option<&(Condition, String)>,
    check: Option<&(Condition, String)>,
    group_by: &[usize],
    (formulas, parts): (&[Formula], &[PartPlan]),
) -> String {
    let headers: Vec<_> = columns.iter().map(|column| &column.headers).collect();
    let parts: Vec<_> = parts.iter().map(|part| (part.kind, &formulas[part.formula])).collect();
    let compiled = format!("{} {headers:?} {filter:?} {check:?} {group_by:?} {parts:?}", format());
    short_digest(&compiled)
}

fn short_digest(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..32].to_owned()
}

/// The names of the results become columns of a table, where case makes no difference.
fn check_names(spec: &ReportSpec) -> Result<(), SpecError> {
    for (name, headers) in &spec.columns {
        let wrong = |why: &str| Err(SpecError { place: Place::Column(name.clone()), why: why.to_owned() });
        if name.trim().is_empty() {
            return wrong("a column needs a name");
        }
        if headers.is_empty() || headers.iter().any(|header| header.trim().is_empty()) {
            return wrong("say which names it may have in a header, as in `price = [\"Price\", \"UnitPrice\"]`");
        }
        if spec
            .columns
            .keys()
            .any(|other| other != name && tributary_csv_gate::folded(other) == tributary_csv_gate::folded(name))
        {
            return wrong("another one differs only in case; give it once");
        }
    }
    if spec.metrics.is_empty() {
        let why = "say what is to be computed, as in `{ rows = \"count()\" }`".to_owned();
        return Err(SpecError { place: Place::Metric(String::new()), why });
    }
    let groups = spec.group_by.iter().map(|name| (name, Place::GroupBy));
    let metrics = spec.metrics.iter().map(|metric| (&metric.name, Place::Metric(metric.name.clone())));
    let mut seen: Vec<String> = Vec::new();
    for (name, place) in groups.chain(metrics) {
        let why = if name.trim().is_empty() {
            "a column of the results needs a name".to_owned()
        } else if name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
            format!("`{}` cannot be a column: at most {LONGEST_NAME} bytes, no control characters", name.escape_debug())
        } else if seen.contains(&name.to_lowercase()) {
            format!("there are two columns `{name}` in the results; case makes no difference")
        } else {
            seen.push(name.to_lowercase());
            continue;
        };
        return Err(SpecError { place, why });
    }
    Ok(())
}
