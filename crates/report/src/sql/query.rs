//! One query over several files. Its groups come file by file, in byte order of their keys, so that whoever takes them need not hold them.

use std::fmt::Write as _;

use super::{SqlFile, SqlPartKind, digits::Digits, expression};
use crate::plan::{PartKind, ReportPlan};

/// Most files of a query: each is a branch of its plan.
const MAX_FILES: usize = 64;

/// A query over some files.
pub struct SqlQuery<'a> {
    plan: &'a ReportPlan,
    files: Vec<SqlFile>,
    rows: u64,
    /// The digits that the values of each part have in any of the files.
    digits: Vec<Digits>,
}

impl<'a> SqlQuery<'a> {
    /// A query over no files.
    #[must_use]
    pub fn new(plan: &'a ReportPlan) -> Self {
        Self { plan, files: Vec::new(), rows: 0, digits: vec![Digits::default(); plan.parts.len()] }
    }

    /// Takes in a file. Returns it if the query has no room for it beside the others; it has room for any file alone.
    ///
    /// # Errors
    /// The file, for another query.
    pub fn push(&mut self, file: SqlFile) -> Result<(), Box<SqlFile>> {
        let digits = (0..self.digits.len()).map(|part| Some(self.digits[part].or(file.digits(self.plan, part).ok()?)));
        let digits: Option<Vec<_>> = digits.collect();
        let rows = self.rows.saturating_add(file.rows);
        let fits = |digits: &Vec<Digits>| digits.iter().all(|digits| digits.of_sum(rows).fit());
        match digits.filter(|digits| self.files.len() < MAX_FILES && (self.files.is_empty() || fits(digits))) {
            Some(digits) => {
                (self.rows, self.digits) = (rows, digits);
                self.files.push(file);
                Ok(())
            }
            None => Err(Box::new(file)),
        }
    }

    /// Its files, in order.
    #[must_use]
    pub fn files(&self) -> &[SqlFile] {
        &self.files
    }

    /// The statement over tables with these names, one per file. The columns of its result: the number of the file, the
    /// [state](super::SqlState) of the rows, the texts of the key, the number of rows, and the values of [`ReportPlan::sql_parts`].
    #[must_use]
    pub fn statement(&self, tables: &[String]) -> String {
        let plan = self.plan;
        let keys: Vec<String> = (0..plan.group_by.len()).map(|at| format!("k{at}")).collect();
        // A state that all rows have is no group: each column of a group costs time.
        let has_states = plan.filter.is_some() || plan.check.is_some();
        let mut text = if has_states { "SELECT f, w" } else { "SELECT f, 1 AS w" }.to_owned();
        keys.iter().for_each(|key| write!(text, ", {key}").unwrap_or_default());
        text.push_str(", count(*) AS n");
        for (at, (part, kind)) in plan.parts.iter().zip(plan.sql_parts()).enumerate() {
            // The same formula stands once, however many parts need it.
            let value = format!("v{}", part.formula);
            let columns = match (kind, part.kind) {
                (SqlPartKind::Sum, _) => format!(", sum({value}) AS p{at}, count({value}) AS n{at}"),
                (_, PartKind::Least) => format!(", min({value}) AS p{at}"),
                _ => format!(", max({value}) AS p{at}"),
            };
            text.push_str(&columns);
        }
        let branches = self.files.iter().zip(tables).enumerate();
        let branches: Vec<_> = branches.map(|(number, (file, table))| self.branch(number, file, table)).collect();
        let order = if has_states { "f, w" } else { "f" }.to_owned();
        let order = keys.iter().fold(order, |order, key| order + ", " + key);
        let _ = write!(text, " FROM ({}) AS u GROUP BY {order} ORDER BY {order}", branches.join(" UNION ALL "));
        text
    }

    /// The rows of one file. Rows that do not count have neither keys nor values, so they are one group.
    fn branch(&self, number: usize, file: &SqlFile, table: &str) -> String {
        let plan = self.plan;
        let state = state(plan, file);
        let counted = |text: String| match state {
            None => text,
            Some(_) => format!("CASE WHEN w = 1 THEN {text} END"),
        };
        let mut columns = String::new();
        for (at, group) in plan.group_by.iter().enumerate() {
            let _ = write!(columns, ", {} AS k{at}", counted(file.field(group.column)));
        }
        for (formula, digits) in self.formulas() {
            let value = expression::cast(&plan.formulas[formula], file, digits);
            let _ = write!(columns, ", {} AS v{formula}", counted(value));
        }
        let table = format!("\"{}\"", table.replace('"', "\"\""));
        match state {
            None => format!("SELECT {number} AS f{columns} FROM {table}"),
            Some(state) => {
                format!("SELECT {number} AS f, w{columns} FROM (SELECT *, {state} AS w FROM {table}) AS t{number}")
            }
        }
    }

    /// The formulas that parts need, with the digits of their values in any of the files.
    fn formulas(&self) -> impl Iterator<Item = (usize, Digits)> {
        (0..self.plan.formulas.len()).filter_map(|formula| {
            let part = self.plan.parts.iter().position(|part| part.formula == formula)?;
            Some((formula, self.digits[part]))
        })
    }
}

/// The state of a row as SQL; none if every row counts.
fn state(plan: &ReportPlan, file: &SqlFile) -> Option<String> {
    // Neither fails: they were checked when the file was taken for SQL.
    let holds = |condition| expression::condition(condition, file).unwrap_or_else(|_| "NULL".to_owned());
    let (filter, check) = (plan.filter.as_ref(), plan.check.as_ref());
    let check = check.map(|(check, _)| format!("CASE WHEN {} THEN 1 ELSE 2 END", holds(check)));
    match (filter, check) {
        (None, check) => check,
        (Some((filter, _)), check) => {
            let used = check.unwrap_or_else(|| "1".to_owned());
            Some(format!("CASE WHEN {} THEN {used} ELSE 0 END", holds(filter)))
        }
    }
}
