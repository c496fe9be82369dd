//! `[[report]]`: a declaration and the files it claims. It is compiled here, so that a wrong one is refused at the start.

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;
use toml::Spanned;
use tributary_format_rules::{FormatRules, Patterns};
use tributary_protocol::{CalendarPart, ColumnSpec, FormatSpec, GroupSpec, MetricSpec, OneOrMany, ReportSpec};
use tributary_report::{MetricKind, ReportPlan, ReportSetting, Room};
use tributary_store::ReportTable;

use super::{
    display::{DisplayAsTyped, ReportDisplay},
    engine::{ClusterConfig, cluster_of},
    group_by::GroupBy,
    report_reader,
};

/// The longest name of a report, in bytes.
const LONGEST_NAME: usize = 40;

/// One report.
#[derive(Debug, Clone)]
pub struct ReportConfig {
    /// Its identity; its table is `report_<name>`.
    pub name: String,
    /// Whether its files are product feeds too. Default: no.
    pub feed: bool,
    /// Words about it for people.
    pub display: ReportDisplay,
    /// Columns to group by, as they are named in the results. If there are none, the report is one row.
    pub group_by: Vec<String>,
    /// Names of its metrics, as spelled; at least one.
    pub metrics: Vec<String>,
    /// The declaration as it is sent to a source.
    pub spec: ReportSpec,
    /// The declaration, compiled.
    pub plan: Arc<ReportPlan>,
    /// Format of its files; each setting here wins over those of a source. Default: as the source's.
    pub formats: FormatRules,
    /// The cluster that computes it where that gives the same. Default: none, sources and the master do.
    pub cluster: Option<ClusterConfig>,
    /// It claims the files whose path matches one of these.
    files: Patterns,
}

impl PartialEq for ReportConfig {
    /// Compares the declarations; the compiled form follows from them.
    fn eq(&self, other: &Self) -> bool {
        fn declared(report: &ReportConfig) -> impl PartialEq + '_ {
            let ReportConfig { name, feed, display, spec, formats, cluster, files, .. } = report;
            (name, *feed, display, spec, formats, cluster, files)
        }
        declared(self) == declared(other)
    }
}

impl ReportConfig {
    /// The same report, whose groups are computed within a room.
    #[must_use]
    pub fn within(&self, room: &Room) -> Self {
        let plan = ReportPlan::clone(&self.plan).within(room.clone());
        Self { plan: Arc::new(plan), ..self.clone() }
    }

    /// The name of its reader in the database.
    #[must_use]
    pub fn reader(&self) -> String {
        report_reader(&self.name)
    }

    /// The patterns of paths that the report claims.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        self.files.texts()
    }

    /// Whether the report claims the file with this path, in any source.
    #[must_use]
    pub fn claims(&self, path: &str) -> bool {
        self.files.matches(path)
    }

    /// The *reading* of a file for this report: what beside its bytes decides about its partial. `format` is how the file is read.
    #[must_use]
    pub fn reading(&self, format: &FormatSpec) -> String {
        match format.digest() {
            Some(format) => format!("{}+{format}", self.plan.digest()),
            None => self.plan.digest().to_owned(),
        }
    }

    /// Whether a partial with this [`Self::reading`] is one of the report as configured, however the file was read.
    #[must_use]
    pub fn is_of_plan(&self, reading: Option<&str>) -> bool {
        reading.and_then(|reading| reading.split('+').next()) == Some(self.plan.digest())
    }

    /// Makes a report that claims no file and counts rows in columns with these names, for tests of pages and API.
    #[doc(hidden)]
    #[must_use]
    pub fn with_columns(name: &str, group_by: Vec<String>, metrics: Vec<String>) -> Self {
        let metric = |name: &String| MetricSpec { name: name.clone(), expression: "count()".into() };
        let groups = group_by.iter().cloned().map(GroupSpec::Column).collect();
        let spec =
            ReportSpec { group_by: groups, metrics: metrics.iter().map(metric).collect(), ..ReportSpec::default() };
        Self::with_spec(name, spec)
    }

    /// Makes a report that claims no file, for tests of pages and API.
    #[doc(hidden)]
    #[must_use]
    pub fn with_spec(name: &str, spec: ReportSpec) -> Self {
        let plan = Arc::new(ReportPlan::compile(&spec).expect("the report of a test compiles"));
        Self {
            name: name.to_owned(),
            feed: false,
            display: ReportDisplay::default(),
            group_by: plan.group_by().to_vec(),
            metrics: plan.metrics().map(str::to_owned).collect(),
            spec,
            plan,
            formats: FormatRules::default(),
            cluster: None,
            files: Patterns::default(),
        }
    }

    /// The table of its results, with columns as spelled.
    #[must_use]
    pub fn table(&self) -> ReportTable {
        ReportTable { name: self.name.clone(), group_by: self.group_by.clone(), metrics: self.metrics.clone() }
    }

    /// The heading for people.
    #[must_use]
    pub fn title(&self) -> &str {
        self.display.title.as_deref().unwrap_or(&self.name)
    }

    /// The unit of a metric.
    #[must_use]
    pub fn unit(&self, metric: &str) -> Option<&str> {
        self.display.units.get(metric).map(String::as_str)
    }

    /// The kind of a metric; `None` if there is no such metric.
    #[must_use]
    pub fn kind(&self, metric: &str) -> Option<MetricKind> {
        self.plan.metric_kinds().zip(&self.metrics).find(|(_, name)| *name == metric).map(|(kind, _)| kind)
    }

    /// The metric that says most, which the chart opens with: the first sum; without one the first count; else the first metric. A
    /// sum says what a group amounts to, a count how often it occurs, and the others nothing of its size.
    #[must_use]
    pub fn main_metric(&self) -> Option<&str> {
        let rank = |(kind, _): &(MetricKind, &String)| match kind {
            MetricKind::Sum => 0,
            MetricKind::Count => 1,
            MetricKind::Mean | MetricKind::Least | MetricKind::Greatest => 2,
        };
        self.plan.metric_kinds().zip(&self.metrics).min_by_key(rank).map(|(_, name)| name.as_str())
    }

    /// The first column of dates, by its place in `group_by`, with the part of the calendar.
    #[must_use]
    pub fn date_group(&self) -> Option<(usize, CalendarPart)> {
        self.spec.group_by.iter().enumerate().find_map(|(at, group)| match group {
            GroupSpec::Date(date) => Some((at, date.by)),
            GroupSpec::Column(_) => None,
        })
    }
}

/// `[[report]]` as typed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReportAsTyped {
    pub(super) name: Spanned<String>,
    title: Option<Spanned<String>>,
    description: Option<Spanned<String>>,
    #[serde(default)]
    units: BTreeMap<String, Spanned<String>>,
    files: Spanned<OneOrMany>,
    #[serde(default)]
    columns: BTreeMap<String, Spanned<ColumnSpec>>,
    #[serde(rename = "where")]
    filter: Option<Spanned<String>>,
    check: Option<Spanned<String>>,
    group_by: Option<Spanned<GroupBy>>,
    metrics: Spanned<BTreeMap<String, Spanned<String>>>,
    #[serde(default)]
    feed: bool,
    engine: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) format: Vec<Spanned<FormatSpec>>,
}

/// Checks a report, which may be computed by this cluster. An error comes with its position in the file.
pub(super) fn report(typed: &ReportAsTyped, cluster: Option<&ClusterConfig>) -> Result<ReportConfig, (usize, String)> {
    let at = |place: usize| move |why: String| (place, why);
    let name = typed.name.get_ref();
    check_name(name).map_err(at(typed.name.span().start))?;
    let files = patterns(typed.files.get_ref()).map_err(at(typed.files.span().start))?;
    // In the order in which they are written, which is that of the results.
    let mut metrics: Vec<_> = typed.metrics.get_ref().iter().collect();
    metrics.sort_by_key(|(_, expression)| expression.span().start);
    let metric = |(name, expression): (&String, &Spanned<String>)| MetricSpec {
        name: name.clone(),
        expression: expression.get_ref().clone(),
    };
    let spec = ReportSpec {
        columns: typed.columns.iter().map(|(name, column)| (name.clone(), column.get_ref().clone())).collect(),
        filter: typed.filter.as_ref().map(|text| text.get_ref().clone()),
        check: typed.check.as_ref().map(|text| text.get_ref().clone()),
        group_by: typed.group_by.as_ref().map(|groups| groups.get_ref().0.clone()).unwrap_or_default(),
        metrics: metrics.into_iter().map(metric).collect(),
    };
    let plan = ReportPlan::compile(&spec).map_err(|error| (typed.place_of(&error.setting), error.to_string()))?;
    let cluster = typed.cluster(&plan, cluster)?;
    let metrics: Vec<String> = plan.metrics().map(str::to_owned).collect();
    Ok(ReportConfig {
        name: name.clone(),
        feed: typed.feed,
        display: typed.display().display(&metrics)?,
        group_by: plan.group_by().to_vec(),
        metrics,
        spec,
        plan: Arc::new(plan),
        formats: FormatRules::default(),
        cluster,
        files,
    })
}

/// A report as lines of a `[[report]]` declare it, without a name and without files. It claims every file.
///
/// # Errors
/// A sentence that says why the lines declare none.
pub fn declared_report(lines: &str) -> Result<ReportConfig, String> {
    let keys: toml::Table = toml::from_str(lines).map_err(|error| error.message().to_owned())?;
    if let Some(key) = ["name", "files"].into_iter().find(|key| keys.contains_key(*key)) {
        return Err(format!("leave out `{key}`: the report is used for one file, and not stored"));
    }
    let typed = format!("name = \"stream\"\nfiles = \"**\"\n{lines}");
    let typed: ReportAsTyped = toml::from_str(&typed).map_err(|error| error.message().to_owned())?;
    let report = report(&typed, None).map_err(|(_, why)| why)?;
    let formats: Vec<_> = typed.format.into_iter().map(Spanned::into_inner).collect();
    let formats = FormatRules::new(&formats).map_err(|error| error.to_string())?;
    Ok(ReportConfig { formats, ..report })
}

impl ReportAsTyped {
    /// The cluster that computes it. A report that no cluster can compute is refused, whatever its files hold.
    fn cluster(
        &self,
        plan: &ReportPlan,
        cluster: Option<&ClusterConfig>,
    ) -> Result<Option<ClusterConfig>, (usize, String)> {
        let Some(engine) = &self.engine else { return Ok(None) };
        let at = engine.span().start;
        let cluster = cluster_of(engine.get_ref(), cluster).map_err(|why| (at, why))?;
        if let (Some(_), Err(why)) = (&cluster, plan.check_sql()) {
            return Err((at, format!("no cluster computes this report to the last digit: {why}; leave out `engine`")));
        }
        Ok(cluster)
    }

    fn display(&self) -> DisplayAsTyped<'_> {
        let Self { title, description, units, .. } = self;
        DisplayAsTyped { title: title.as_ref(), description: description.as_ref(), units }
    }

    fn place_of(&self, setting: &ReportSetting) -> usize {
        let start = |text: &Option<Spanned<String>>| text.as_ref().map(|text| text.span().start);
        let found = match setting {
            ReportSetting::Column(name) => self.columns.get(name).map(|column| column.span().start),
            ReportSetting::Filter => start(&self.filter),
            ReportSetting::Check => start(&self.check),
            ReportSetting::GroupBy => self.group_by.as_ref().map(|columns| columns.span().start),
            ReportSetting::Metric(name) => {
                let metric = self.metrics.get_ref().get(name).map(|expression| expression.span().start);
                metric.or(Some(self.metrics.span().start))
            }
        };
        found.unwrap_or_else(|| self.name.span().start)
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let is_good = name.len() <= LONGEST_NAME
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    match is_good {
        true => Ok(()),
        false => Err(format!(
            "`{name}` cannot name a table: a report's name begins with a small letter and has at most {LONGEST_NAME} small letters, \
             digits and `_`"
        )),
    }
}

fn patterns(typed: &OneOrMany) -> Result<Patterns, String> {
    let texts = typed.to_vec();
    if texts.is_empty() {
        return Err("name the files of the report, such as `**/*sales*.csv`".to_owned());
    }
    Patterns::new(&texts).map_err(|why| why.to_string())
}
