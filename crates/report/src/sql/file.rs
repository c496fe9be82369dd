//! One plain file as a table of SQL: the types of its columns, and the columns that a report takes of them.

use std::collections::BTreeSet;

use tributary_csv_gate::plain::{ColumnFacts, PlainTable};

use super::{NotSql, digits::Digits, expression::Columns};
use crate::{formula::Condition, number_format::NumberFormat, plan::ReportPlan};

/// The most rows of a file: the type of a sum has room for ten digits more than that of its numbers.
const MAX_SQL_ROWS: u64 = 10_000_000_000;
/// Digits behind the point of a number such as `1.500`, which may be one thousand five hundred.
const GROUP_DIGITS: u32 = 3;

/// The type of a column in the table of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlColumn {
    /// Texts; an empty cell is null.
    Text,
    /// Decimals; an empty cell is null.
    Decimal {
        /// All digits.
        precision: u32,
        /// Digits behind the point.
        scale: u32,
    },
}

/// A plain file that a report can be computed over by SQL.
#[derive(Debug, Clone)]
pub struct SqlFile {
    /// Its delimiter.
    pub delimiter: char,
    /// Whether its first line names the columns.
    pub has_header: bool,
    /// The types of all its columns.
    pub columns: Vec<SqlColumn>,
    /// Its rows.
    pub rows: u64,
    /// For each column of the plan: the field of a row that holds it, and its digits.
    fields: Vec<(usize, Digits)>,
}

impl ReportPlan {
    /// The table of a file for this report. `numbers` is how the file writes numbers.
    ///
    /// # Errors
    /// The kernel may take other values from the file than SQL does, or sums may not fit.
    pub fn sql_file(&self, plain: &PlainTable, numbers: &NumberFormat) -> Result<SqlFile, NotSql> {
        self.check_sql()?;
        if plain.rows > MAX_SQL_ROWS {
            return Err(NotSql(format!("it has more than {MAX_SQL_ROWS} rows")));
        }
        let fields = self.fields(&plain.columns).map_err(|reject| NotSql(reject.to_string()))?;
        let texts = self.text_columns();
        let mut columns = vec![SqlColumn::Text; plain.columns.len()];
        let mut digits = vec![Digits::default(); fields.len()];
        let of = |column: usize| {
            let facts = plain.facts.get(fields[column]);
            facts.ok_or_else(|| NotSql("nothing is known of its columns".to_owned()))
        };
        for column in texts.iter().copied() {
            self.check_text(column, of(column)?)?;
        }
        for column in self.numeric.iter().copied() {
            digits[column] = self.check_number(column, of(column)?, numbers)?;
            if !texts.contains(&column) {
                let Digits { scale, .. } = digits[column];
                columns[fields[column]] = SqlColumn::Decimal { precision: digits[column].precision(), scale };
            }
        }
        let file = SqlFile {
            delimiter: plain.delimiter.into(),
            has_header: plain.has_header,
            columns,
            rows: plain.rows,
            fields: fields.into_iter().zip(digits).collect(),
        };
        file.check_values(self)?;
        Ok(file)
    }

    /// The columns that are grouped by, or compared as texts.
    fn text_columns(&self) -> BTreeSet<usize> {
        let mut columns: BTreeSet<usize> = self.group_by.iter().map(|group| group.column).collect();
        let conditions = self.filter.iter().chain(&self.check).map(|(condition, _)| condition);
        conditions.for_each(|condition| text_columns(condition, &mut columns));
        columns
    }

    /// Refuses cells that the kernel would trim or reject.
    fn check_text(&self, column: usize, facts: &ColumnFacts) -> Result<(), NotSql> {
        let name = &self.columns[column].name;
        if facts.padded > 0 {
            return Err(NotSql(format!("`{name}` has {} cells with white space around them", facts.padded)));
        }
        let is_group = self.group_by.iter().any(|group| group.column == column);
        if is_group && facts.empty > 0 {
            return Err(NotSql(format!("`{name}` is empty in {} rows", facts.empty)));
        }
        Ok(())
    }

    /// Refuses cells that the kernel reads by other rules than those for plain numbers.
    fn check_number(&self, column: usize, facts: &ColumnFacts, numbers: &NumberFormat) -> Result<Digits, NotSql> {
        let name = &self.columns[column].name;
        if facts.texts > 0 {
            return Err(NotSql(format!("`{name}` has {} cells that are no plain numbers", facts.texts)));
        }
        match numbers.style {
            Some(style) if style.decimal != '.' => {
                return Err(NotSql(format!("`{name}` has the decimal sign `{}`", style.decimal)));
            }
            None if facts.fraction_digits == GROUP_DIGITS => {
                return Err(NotSql(format!(
                    "the signs in `{name}` may separate thousands, as in `1.500`; set decimal = \".\" if they do not"
                )));
            }
            _ => {}
        }
        Ok(Digits { whole: facts.integer_digits, scale: facts.fraction_digits })
    }
}

fn text_columns(condition: &Condition, columns: &mut BTreeSet<usize>) {
    match condition {
        Condition::Compare(..) => {}
        Condition::CompareText(_, column, _) | Condition::IsEmpty(column) => {
            columns.insert(*column);
        }
        Condition::Not(inner) => text_columns(inner, columns),
        Condition::And(left, right) => [left, right].into_iter().for_each(|one| text_columns(one, columns)),
        Condition::Any(all) => all.iter().for_each(|one| text_columns(one, columns)),
    }
}

impl SqlFile {
    /// Checks that every formula and every condition has exact values over this file.
    fn check_values(&self, plan: &ReportPlan) -> Result<(), NotSql> {
        for part in 0..plan.parts.len() {
            let digits = self.digits(plan, part)?;
            if !digits.of_sum(self.rows).fit() {
                return Err(NotSql(format!("the sum `{}` may have too many digits", plan.parts[part].text)));
            }
        }
        let conditions = plan.filter.iter().chain(&plan.check).map(|(condition, _)| condition);
        conditions.into_iter().try_for_each(|condition| super::expression::condition(condition, self).map(drop))
    }

    /// The digits of the values that a part sums up or compares.
    pub(super) fn digits(&self, plan: &ReportPlan, part: usize) -> Result<Digits, NotSql> {
        Digits::of(plan.formula(part), &|column| self.fields[column].1)
    }

    fn name(&self, column: usize) -> String {
        format!("c{}", self.fields[column].0)
    }

    /// The column of a table that holds a column of the plan.
    pub(super) fn field(&self, column: usize) -> String {
        self.name(column)
    }
}

impl Columns for SqlFile {
    fn number(&self, column: usize) -> (String, Digits) {
        let (field, digits) = self.fields[column];
        let name = self.name(column);
        match self.columns[field] {
            SqlColumn::Decimal { .. } => (name, digits),
            SqlColumn::Text => (format!("CAST({name} AS DECIMAL({}, {}))", digits.precision(), digits.scale), digits),
        }
    }

    fn text(&self, column: usize) -> String {
        self.name(column)
    }
}
